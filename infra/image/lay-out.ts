/**
 * The image's files in a folder, without building an image: the Dockerfile itself is read, and its steps are taken here
 * instead of in a container. So there is no second list of them that could drift. What a base has beside Node (glibc,
 * libstdc++) is this machine's. Every path of the Dockerfile lies below the folder of its stage.
 */
import { createHash } from 'node:crypto';
import { constants, cp, mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { npmFolder } from './buildah.ts';
import { execForm, type Instruction, readDockerfile } from './dockerfile.ts';
import { runProgram } from './programs.ts';

/** Where the stage BUILD has what it brings. */
const NODE = 'usr/local/bin/node';
const NPM = 'usr/local/lib/node_modules/npm';
/** Of the project, as .dockerignore has it; what else that leaves out is named by no COPY. */
const isLeftOut = (path: string): boolean => path.endsWith('.test.ts');
const isFromBuild = ({ rest }: Instruction): boolean => rest.includes('--from=build');

export interface ImageSource {
  /** The folder with the Dockerfile. */
  project: string;
  /** The Node whose binary goes into the image. */
  node: string;
}

/** How the program is started, with the paths as they are in the image. */
export interface ImageStart {
  entrypoint: readonly string[];
  env: Readonly<Record<string, string>>;
  /** The one folder that may be written to. */
  volume: string;
}

/** Takes the steps of both stages; `folder` then holds what the last one copies. */
export async function layOut({ project, node }: ImageSource, folder: string): Promise<void> {
  const { build, image } = await stagesOf(project);
  const stage = `${folder}.build`;
  try {
    await cp(node, join(stage, NODE), { mode: constants.COPYFILE_FICLONE });
    await mkdir(dirname(join(stage, NPM)), { recursive: true });
    await symlink(await npmFolder(), join(stage, NPM));
    let workFolder = stage;
    for (const instruction of build) {
      if (instruction.keyword === 'WORKDIR') {
        workFolder = join(stage, instruction.rest);
        await mkdir(workFolder, { recursive: true });
      } else if (instruction.keyword === 'COPY')
        await copy(instruction, { from: project, to: (path) => join(workFolder, path) });
      else if (instruction.keyword === 'RUN') await runStep(instruction, { stage, workFolder });
    }
    for (const instruction of image) {
      const from = isFromBuild(instruction) ? stage : project;
      if (instruction.keyword === 'COPY') await copy(instruction, { from, to: (path) => join(folder, path) });
    }
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

export async function imageStart(project: string): Promise<ImageStart> {
  const { image } = await stagesOf(project);
  const restOf = (keyword: string) => image.find((each) => each.keyword === keyword)?.rest ?? '';
  const [volume] = execForm(restOf('VOLUME'))!;
  const env = [...restOf('ENV').matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name!, value!]);
  return { entrypoint: execForm(restOf('ENTRYPOINT'))!, env: Object.fromEntries(env), volume: volume! };
}

/** The same for the same Dockerfile, sources and Node. */
export async function imageKey({ project }: ImageSource): Promise<string> {
  const { text, build, image } = await stagesOf(project);
  const hash = createHash('sha256').update(`${text}\0${process.version}\0${process.arch}`);
  const copied = [...build, ...image]
    .filter((each) => each.keyword === 'COPY' && !isFromBuild(each))
    .flatMap((each) => pathsOf(each).sources);
  for (const source of copied)
    for (const file of await filesBelow(join(project, source)))
      hash
        .update(`${file.slice(project.length)}\0`)
        .update(await readFile(file))
        .update('\0');
  return hash.digest('hex').slice(0, 16);
}

async function stagesOf(project: string) {
  const text = await readFile(join(project, 'Dockerfile'), 'utf8');
  const [build, image] = readDockerfile(text).stages;
  return { text, build: build!.instructions, image: image!.instructions };
}

/** A folder's content goes into the folder that is named, as COPY has it; a file into one that ends with `/`. */
async function copy(
  instruction: Instruction,
  { from, to }: { from: string; to: (path: string) => string },
): Promise<void> {
  const { sources, target } = pathsOf(instruction);
  for (const source of sources) {
    const path = join(from, source);
    const isInto = target.endsWith('/') && !(await stat(path)).isDirectory();
    await cp(path, to(isInto ? join(target, basename(source)) : target), {
      recursive: true,
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
      filter: (each) => isFromBuild(instruction) || !isLeftOut(each),
    });
  }
}

function pathsOf({ rest }: Instruction): { sources: string[]; target: string } {
  const paths = rest.split(' ').filter((word) => !word.startsWith('--'));
  return { sources: paths.slice(0, -1), target: paths.at(-1)! };
}

async function runStep(
  { rest }: Instruction,
  { stage, workFolder }: { stage: string; workFolder: string },
): Promise<void> {
  const [, ...args] = execForm(rest)!;
  // Every command of ours is one of Node; paths are the stage's.
  const here = args.map((arg) => (arg.startsWith('/') ? join(stage, arg) : arg));
  await runProgram(join(stage, NODE), here, { cwd: workFolder, quiet: true });
}

async function filesBelow(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !isLeftOut(file))
    .sort();
}
