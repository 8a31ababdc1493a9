/**
 * A module's variables and outputs as terraform-docs would put them into its README. Read from files that
 * `terraform fmt` has formatted, which makes a block's beginning and end plain.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PROJECT } from './cache.ts';

const ROOT = 'infra/terraform';
const BEGIN = '<!-- BEGIN_TF_DOCS -->';
const END = '<!-- END_TF_DOCS -->';
export const EXAMPLE = 'examples/basic/main.tf';

export async function modulePaths(): Promise<string[]> {
  const names = await readdir(join(PROJECT, ROOT, 'modules'));
  return [...names.sort().map((name) => `${ROOT}/modules/${name}`), `${ROOT}/lakeward`];
}

export async function moduleTables(path: string): Promise<string> {
  const blocks = await blocksOf(path);
  const named = (kind: string) => blocks.filter((block) => block.kind === kind);
  return [
    `## Requirements\n\n${await requirements(path)}`,
    `## Modules\n\n${list(named('module').map(moduleCalled))}`,
    `## Resources\n\n${list(named('resource').map(({ labels }) => `\`${labels.join('.')}\``))}`,
    `## Inputs\n\n${inputs(named('variable'))}`,
    `## Outputs\n\n${outputs(named('output'))}`,
  ].join('\n\n');
}

/** The module's example as somebody beside `modules` would write it; undefined for the composition, which has none. */
export async function moduleExample(path: string): Promise<string | undefined> {
  const text = await readFile(join(PROJECT, path, EXAMPLE), 'utf8').catch(() => undefined);
  return text?.replace('source = "../.."', `source = "../modules/${basename(path)}"`);
}

export function withExample(readme: string, example: string | undefined): string {
  return example === undefined ? readme : readme.replace(/(?<=^```hcl\n).*?(?=^```$)/ms, () => example);
}

export function withTables(readme: string, tables: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`a README needs ${BEGIN} and ${END}`);
  return `${readme.slice(0, begin)}${BEGIN}\n${tables}\n${readme.slice(end)}`;
}

interface Block {
  kind: string;
  labels: string[];
  body: string;
}

async function blocksOf(path: string): Promise<Block[]> {
  const files = (await readdir(join(PROJECT, path))).filter((name) => name.endsWith('.tf')).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(PROJECT, path, name), 'utf8')));
  return texts.flatMap((text) =>
    [...text.matchAll(/^(variable|output|resource|module) ((?:"[^"]+" ?)+)\{\n(.*?)^\}$/gms)].map(
      ([, kind, labels, body]) => ({
        kind: kind!,
        labels: [...labels!.matchAll(/"([^"]+)"/g)].map(([, label]) => label!),
        body: body!,
      }),
    ),
  );
}

const moduleCalled = ({ labels, body }: Block) => `${labels[0]} (\`${text(body, 'source')}\`)`;

function inputs(variables: readonly Block[]): string {
  const rows = variables.map(({ labels, body }) => ({
    name: labels[0]!,
    required: attribute(body, 'default') === undefined,
    cells: [
      text(body, 'description'),
      code(attribute(body, 'type') ?? 'any'),
      attribute(body, 'default') === undefined ? 'n/a' : code(attribute(body, 'default')!),
    ],
  }));
  if (rows.length === 0) return 'None.';
  const sorted = [...rows].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    '| Name | Description | Type | Default | Required |',
    '|---|---|---|---|:---:|',
    ...sorted.map(
      ({ name, required, cells }) => `| ${name} | ${cells.join(' | ')} | ${required ? 'yes' : 'no'} |`,
    ),
  ].join('\n');
}

function outputs(blocks: readonly Block[]): string {
  if (blocks.length === 0) return 'None.';
  const rows = blocks.map(({ labels, body }) => `| ${labels[0]} | ${text(body, 'description')} |`);
  return ['| Name | Description |', '|---|---|', ...rows.sort()].join('\n');
}

async function requirements(path: string): Promise<string> {
  const text = await readFile(join(PROJECT, path, 'versions.tf'), 'utf8');
  const terraform = /required_version = "([^"]+)"/.exec(text)?.[1];
  const aws = /version = "([^"]+)"\n\s*\}/.exec(text)?.[1];
  return `| Name | Version |\n|---|---|\n| terraform | ${terraform} |\n| aws | ${aws} |`;
}

/** The value of an attribute two blanks in, over several lines where it is an object. */
function attribute(body: string, name: string): string | undefined {
  return new RegExp(`^ {2}${name} += (.*?)(?=\\n {2}[a-z]|\\n\\n|\\n$)`, 'ms').exec(body)?.[1];
}

function text(body: string, name: string): string {
  return (
    attribute(body, name)
      ?.replace(/^"(.*)"$/s, '$1')
      .replaceAll('\\"', '"') ?? ''
  );
}

/** In one line: a table has no other. */
function code(value: string): string {
  const line = value
    .replace(/\s*\n\s*/g, ', ')
    .replace(/([{([]),/g, '$1')
    .replace(/, ([})\]])/g, ' $1')
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|');
  return `\`${line}\``;
}

function list(items: readonly string[]): string {
  return items.length === 0
    ? 'None.'
    : [...items]
        .sort()
        .map((item) => `- ${item}`)
        .join('\n');
}
