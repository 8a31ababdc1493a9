/** Colour, and when there is any. Colour never carries meaning alone: a word or a symbol stands beside it. */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

const same = (text: string) => text;
export const plain: Paint = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

const styled = (style: Style) => (text: string) => styleText(style, text, { validateStream: false });
export const coloured: Paint = {
  bold: styled('bold'),
  dim: styled('dim'),
  red: styled('red'),
  green: styled('green'),
  yellow: styled('yellow'),
  cyan: styled('cyan'),
};

/** NO_COLOR (no-color.org) and TERM=dumb win, then FORCE_COLOR, then whether it is a terminal. */
export function paintFor({
  env,
  terminal,
}: {
  env: Readonly<Record<string, string | undefined>>;
  terminal: boolean;
}): Paint {
  if ((env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return plain;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced === '0' ? plain : coloured;
  return terminal ? coloured : plain;
}
