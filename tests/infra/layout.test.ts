/** What holds of the Terraform files themselves; needs no Terraform. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PROJECT } from '../../infra/deploy/cache.ts';
import {
  moduleExample,
  modulePaths,
  moduleTables,
  withExample,
  withTables,
} from '../../infra/deploy/module-tables.ts';

const ROOT = 'infra/terraform';
const read = (path: string) => readFileSync(join(PROJECT, path), 'utf8');
const list = (path: string) => readdirSync(join(PROJECT, path)).sort();
const environments = list(`${ROOT}/environments`);
const modules = await modulePaths();

const settingsOf = (environment: string) => read(`${ROOT}/environments/${environment}/terraform.tfvars`);

describe('environments', () => {
  test('are the four', () => {
    expect(environments).toEqual(['dev', 'local', 'prod', 'test']);
  });

  test.each(environments)('%s has variables and the place of its state, and nothing else', (name) => {
    const state = name === 'local' ? [] : ['backend.hcl'];
    expect(list(`${ROOT}/environments/${name}`)).toEqual([...state, 'terraform.tfvars']);
  });

  test.each(environments)('%s sets only variables that there are', (name) => {
    const declared = [...read(`${ROOT}/lakeward/variables.tf`).matchAll(/^variable "(\w+)"/gm)];
    const known = declared.map(([, variable]) => variable);
    const set = [...settingsOf(name).matchAll(/^(\w+)\s*=/gm)].map(([, variable]) => variable);
    expect(set).toContain('environment');
    expect(set.filter((variable) => !known.includes(variable))).toEqual([]);
    expect(settingsOf(name)).toMatch(new RegExp(`^environment\\s*= "${name}"$`, 'm'));
  });

  test('have an account each, and a state of their own, encrypted and locked', () => {
    const accounts = environments.map((name) => /^account_id\s*= "(\d{12})"$/m.exec(settingsOf(name))?.[1]);
    expect(new Set(accounts).size).toBe(4);
    const backends = environments
      .filter((name) => name !== 'local')
      .map((name) => read(`${ROOT}/environments/${name}/backend.hcl`));
    expect(new Set(backends.map((text) => /^key\s*= "(.*)"$/m.exec(text)?.[1])).size).toBe(3);
    for (const text of backends) expect(text).toMatch(/^encrypt\s*= true\nuse_lockfile\s*= true$/m);
  });
});

// The composition has environments in the place of examples.
test.each(modules.filter((path) => !path.endsWith('/lakeward')))(
  '%s has an example, which its README shows',
  async (path) => {
    const example = await moduleExample(path);
    expect(example).toContain(`source = "../modules/${path.split('/').at(-1)}"`);
    expect(read(`${path}/README.md`)).toContain(example);
  },
);

describe.each(modules)('%s', (path) => {
  test('has a README that agrees with it; node infra/deploy/readme.ts writes it anew', async () => {
    const readme = read(`${path}/README.md`);
    const tables = await moduleTables(path);
    expect(tables).toContain('## Inputs\n\n|');
    expect(withTables(withExample(readme, await moduleExample(path)), tables)).toBe(readme);
  });

  test('describes every variable and output in a sentence', () => {
    const text = ['variables.tf', 'outputs.tf'].map((file) => read(`${path}/${file}`)).join('\n');
    const blocks = [...text.matchAll(/^(?:variable|output) "(\w+)" \{\n(.*?)^\}/gms)];
    const silent = blocks.filter(([, , body]) => !/^ {2}description = ".{8,}\."$/m.test(body!));
    expect(silent.map(([, name]) => name)).toEqual([]);
  });

  test('takes providers 5.83 to 6, or the one version that is deployed', () => {
    const wanted = path.endsWith('/lakeward') ? 'version = "5.100.0"' : 'version = ">= 5.83, < 7.0"';
    expect(read(`${path}/versions.tf`)).toContain(wanted);
  });

  test('makes no table: those are the program’s', () => {
    const files = list(path).filter((file) => file.endsWith('.tf'));
    const making = files.filter((file) =>
      /"aws_(glue_catalog|s3tables)_table"/.test(read(`${path}/${file}`)),
    );
    expect(making).toEqual([]);
  });
});

test('metrics are counted from log entries that the program writes', () => {
  const counted = read(`${ROOT}/modules/observability/alarms.tf`).matchAll(/\$\.id = \\"([\w.]+)\\"/g);
  const ids = [...new Set([...counted].map(([, id]) => id))];
  expect(ids.length).toBeGreaterThan(3);
  const written = read('docs/reference/log-messages.md');
  expect(ids.filter((id) => !written.includes(`| \`${id}\` |`))).toEqual([]);
});
