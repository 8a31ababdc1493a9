import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { execForm, type Instruction, readDockerfile } from '../../infra/image/dockerfile.ts';
import { COMMAND_NAMES, configurationPage, resolveSettings } from '../../src/config/config.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { ROOT } from './project-files.ts';

const text = readFileSync(`${ROOT}Dockerfile`, 'utf8');
const { global, stages } = readDockerfile(text);
const last = stages.at(-1)!.instructions;
const of = (keyword: string, among: readonly Instruction[] = last) =>
  among.filter((each) => each.keyword === keyword);
const optionVariables: readonly string[] = configurationPage().match(/\bLAKEWARD_\w+/g) ?? [];

describe('the Dockerfile', () => {
  const bases = global.map(({ rest }) => rest);

  test('takes its bases as arguments, with a tag that is no moving "latest" and no digest that nobody resolved', () => {
    expect(stages.map(({ from }) => from.replace(/[{}]/g, ''))).toEqual(['$BUILD AS build', '$BASE']);
    for (const base of bases) expect(base).toMatch(/^(BUILD|BASE)=[\w./-]+:(?!latest)[\w.-]+$/);
  });

  test('takes the Node that everything is tested with', () => {
    const { devDependencies } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
    expect(bases.join('\n')).toContain(`/node:${devDependencies.node}-`);
  });

  test('needs no shell: every command is in exec form', () => {
    const commands = stages
      .flatMap(({ instructions }) => instructions)
      .filter(({ keyword }) => ['RUN', 'CMD', 'ENTRYPOINT', 'HEALTHCHECK'].includes(keyword));
    const shell = commands.filter(({ rest }) => execForm(rest.replace(/^.*?\bCMD /, '')) === undefined);
    expect(shell).toEqual([]);
    expect(commands.map(({ keyword }) => keyword)).toEqual(
      expect.arrayContaining(['RUN', 'CMD', 'ENTRYPOINT', 'HEALTHCHECK']),
    );
  });

  test('builds nothing in the last stage, and copies only from the build stage and by name', () => {
    expect(of('RUN')).toEqual([]);
    expect(
      of(
        'ADD',
        stages.flatMap(({ instructions }) => instructions),
      ),
    ).toEqual([]);
    const broad = of('COPY').filter(({ rest }) => /(^|\s)(\.|\*)\s/.test(rest));
    expect(broad).toEqual([]);
  });

  test('runs no script of a package', () => {
    const npm = of('RUN', stages[0]!.instructions).filter(({ rest }) => /"(ci|install|prune)"/.test(rest));
    expect(npm.length).toBeGreaterThan(0);
    for (const { rest } of npm) expect(rest).toContain('"--ignore-scripts"');
  });

  test('runs as a user by number who is not root, in the volume that it may write to', () => {
    expect(of('USER').map(({ rest }) => rest)).toEqual(['65532:65532']);
    const volume = execForm(of('VOLUME')[0]!.rest);
    expect(of('ENV')[0]!.rest).toContain(`LAKEWARD_DIR=${volume?.[0]} `);
  });

  test('sets only variables that are options, and asks for commands that exist', () => {
    const set = [...of('ENV')[0]!.rest.matchAll(/\b(LAKEWARD_\w+)=/g)].map((match) => match[1]);
    expect(set.filter((name) => !optionVariables.includes(name!))).toEqual([]);
    const program = execForm(of('ENTRYPOINT')[0]!.rest)!.at(-1)!;
    const health = execForm(of('HEALTHCHECK')[0]!.rest.replace(/^.*?\bCMD /, ''))!;
    expect(COMMAND_NAMES).toContain(health[health.indexOf(program) + 1]);
    expect(COMMAND_NAMES).toContain(execForm(of('CMD')[0]!.rest)?.[0]);
  });

  test('copies what exists, and what .dockerignore lets through', () => {
    const let_through = readFileSync(`${ROOT}.dockerignore`, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = stages
      .flatMap(({ instructions }) => of('COPY', instructions))
      .filter(({ rest }) => !rest.includes('--from='))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
    expect(sources.filter((source) => !existsSync(join(ROOT, source)))).toEqual([]);
    const hidden = sources.filter(
      (source) => !let_through.some((each) => each === source || each.startsWith(source)),
    );
    expect(hidden).toEqual([]);
  });
});

const python = await pythonWith('deployment');

describeWith(python, 'the deployment files', () => {
  interface Checked {
    findings: { code: string; level: string; line: number; message: string }[];
    compose: {
      services: Record<
        string,
        {
          command: string[];
          environment: Record<string, string>;
          ports: string[];
          volumes: string[];
          read_only: boolean;
        }
      >;
      volumes: Record<string, unknown>;
    };
    mistakes: string[];
    ofMisspelt: string[];
  }

  let checked: Checked;
  beforeAll(async () => {
    checked = await python.run<Checked>(join(import.meta.dirname, 'check_deployment_files.py'), {
      dockerfile: `${ROOT}Dockerfile`,
      compose: `${ROOT}compose.yaml`,
    });
  });

  test('satisfy hadolint', () => {
    expect(checked.findings.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  test('are what the Compose specification knows', () => {
    expect(checked.mistakes).toEqual([]);
    // That it would notice.
    expect(checked.ofMisspelt).toEqual([expect.stringContaining('prots')]);
  });

  test('have in compose.yaml a command of ours with options of ours, in the image’s volume', () => {
    const service = checked.compose.services['lakeward']!;
    expect(COMMAND_NAMES).toContain(service.command[0]);
    expect(Object.keys(service.environment).filter((name) => !optionVariables.includes(name))).toEqual([]);
    // Published to loopback alone: the stream takes events from anybody who reaches it.
    const port = service.environment['LAKEWARD_STREAM_PORT'];
    expect(service.ports).toEqual([`127.0.0.1:${port}:${port}`]);
    expect(service.volumes).toEqual([`lake:${execForm(of('VOLUME')[0]!.rest)?.[0]}`]);
    expect(Object.keys(checked.compose.volumes)).toEqual(['lake']);
    expect(service.read_only).toBe(true);
    // Read as the program reads them when it starts: values, too.
    const { settings, warnings } = resolveSettings({
      ...{ command: 'dev', flags: {}, env: service.environment, cwd: ROOT },
    });
    expect(warnings).toEqual([]);
    expect(settings['stream.host']).toBe('0.0.0.0');
    expect(settings['monitor.port']).toBe(9464);
  });
});
