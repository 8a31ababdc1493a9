/**
 * A copy of infra/terraform in the user's cache, initialised once for exactly this content. Nothing that Terraform
 * writes (.terraform, lock file, state) gets into the project, and two runs of different content do not disturb each
 * other. The copy keeps its state in a file, not in the bucket of the environment's backend.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere, keptFolder, PROJECT } from './cache.ts';
import { runWell } from './programs.ts';
import type { Providers } from './providers.ts';

const SOURCE = join(PROJECT, 'infra/terraform');
const MARK = '.initialised';
/** The folder in a copy whose root calls every module's example. */
export const EXAMPLES = 'examples';
const BACKEND = 'terraform {\n  backend "local" {}\n}\n';

export interface WorkingCopy {
  /** The copy of infra/terraform. */
  folder: string;
  /** For Terraform in the folder that was asked for. */
  env: Readonly<Record<string, string>>;
}

/** `path`: the folder under infra/terraform that is to be initialised. */
export async function workingCopy(path: string, providers: Providers): Promise<WorkingCopy> {
  const key = await contentHash(providers.from);
  const folder = await keptFolder({ kind: 'copies', key }, copy);
  const data = join(folder, '.data', path.replaceAll('/', '-'));
  const env = { ...providers.env, TF_DATA_DIR: data, TF_IN_AUTOMATION: '1', CHECKPOINT_DISABLE: '1' };
  if (!(await isThere(join(data, MARK)))) {
    await runWell('terraform', [`-chdir=${join(folder, path)}`, 'init', '-input=false', '-no-color'], {
      env,
    });
    await writeFile(join(data, MARK), '');
  }
  return { folder, env };
}

async function copy(folder: string): Promise<void> {
  await cp(SOURCE, folder, {
    recursive: true,
    filter: (path) => !/\/\.terraform(\.lock\.hcl)?$|\.tfstate/.test(path),
  });
  await writeFile(join(folder, 'lakeward/backend_override.tf'), BACKEND);
  await writeRootOfExamples(folder);
}

/** One root that calls the example of every module, so that all are initialised and validated at once. */
async function writeRootOfExamples(folder: string): Promise<void> {
  const modules = await readdir(join(folder, 'modules'));
  const calls = modules
    .sort()
    .map((name) => `module "${name}" {\n  source = "../modules/${name}/examples/basic"\n}\n`);
  await mkdir(join(folder, EXAMPLES), { recursive: true });
  await writeFile(join(folder, EXAMPLES, 'main.tf'), calls.join('\n'));
}

async function contentHash(providers: string): Promise<string> {
  const hash = createHash('sha256').update(providers);
  const entries = await readdir(SOURCE, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && /\.(tf|hcl|tfvars|tfbackend)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/.terraform'))
    .sort();
  for (const file of files) hash.update(file.slice(SOURCE.length)).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}
