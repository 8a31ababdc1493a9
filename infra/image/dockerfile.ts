/** A Dockerfile as its instructions, by stage. Only what ours uses: no heredocs, no other escape character. */
export interface Instruction {
  line: number;
  keyword: string;
  /** Flags such as --from=build stand in front. */
  rest: string;
}

export interface Stage {
  from: string;
  instructions: Instruction[];
}

export function readDockerfile(text: string): { global: Instruction[]; stages: Stage[] } {
  const global: Instruction[] = [];
  const stages: Stage[] = [];
  for (const instruction of instructions(text)) {
    if (instruction.keyword === 'FROM') stages.push({ from: instruction.rest, instructions: [] });
    else (stages.at(-1)?.instructions ?? global).push(instruction);
  }
  return { global, stages };
}

function instructions(text: string): Instruction[] {
  const found: Instruction[] = [];
  let open: Instruction | undefined;
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const more = line.endsWith('\\');
    const content = more ? line.slice(0, -1).trim() : line;
    if (open === undefined) {
      const [keyword = '', ...rest] = content.split(/\s+/);
      open = { line: i + 1, keyword: keyword.toUpperCase(), rest: rest.join(' ') };
      found.push(open);
    } else open.rest += ` ${content}`;
    if (!more) open = undefined;
  }
  return found;
}

/** The words of an exec form; undefined for the shell form. */
export function execForm(rest: string): string[] | undefined {
  const list = rest.replace(/^(--\S+\s+)*/, '');
  try {
    const words = JSON.parse(list) as unknown;
    return Array.isArray(words) && words.every((word) => typeof word === 'string') ? words : undefined;
  } catch {
    return undefined;
  }
}
