/**
 * Events are anyone's, and so is every text that may quote one: a cell, an engine's message, an entry of the log. What
 * a terminal would obey instead of showing it is made visible.
 */

/** Of one line: line ends and tabs are shown too. */
export function visible(text: string): string {
  return text.replace(OBEYED, (character) => SHORT[character] ?? escaped(character));
}

/** Of text whose own lines stay lines. */
export function visibleLines(text: string): string {
  return text.replace(OBEYED, (character) => (character === '\n' ? character : visible(character)));
}

/** JSON of the same content. JSON.stringify leaves only these as they are, and only inside strings. */
export function visibleJson(json: string): string {
  return json.replace(OBEYED, (character) => (character < ' ' ? character : escaped(character)));
}

/** Control characters (C0, DEL, C1), and those that turn the direction of what follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
