/**
 * Commands in blocks of shell as words: enough of the shell's grammar for what a document shows (quotes, comments, pipes,
 * redirections, variables in front, a line that goes on in the next). Pure.
 */

interface Spoken {
  /** Variables that are set for this command alone. */
  readonly env: Readonly<Record<string, string>>;
  /** The program and its words, without redirections. */
  readonly words: readonly string[];
  /** Where it begins, from 1. */
  readonly line: number;
}

interface ShellBlock {
  readonly language: string;
  readonly line: number;
  readonly lines: readonly string[];
}

const SHELLS = ['sh', 'bash', 'shell', 'console'];
/** The next word is a file. */
const REDIRECTION = /^\d?(?:>>?|<)$/;

/** The commands of a block, none of one that is not shell. In a `console` those behind a `$`; the rest is what they print. */
export function commandsOf({ language, line: first, lines }: ShellBlock): readonly Spoken[] {
  if (!SHELLS.includes(language)) return [];
  const spoken: Spoken[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = first + at;
    let text = lines[at] ?? '';
    if (language === 'console' && !text.startsWith('$ ')) continue;
    while (text.endsWith('\\') && at + 1 < lines.length) {
      at += 1;
      text = `${text.slice(0, -1)}${lines[at]}`;
    }
    for (const words of sentencesOf(text.replace(/^\$ /, ''))) spoken.push({ ...command(words), line });
  }
  return spoken;
}

function command(all: readonly string[]): Omit<Spoken, 'line'> {
  const env: Record<string, string> = {};
  const words: string[] = [];
  for (let at = 0; at < all.length; at += 1) {
    const word = all[at] ?? '';
    const [, name, value = ''] = /^([A-Za-z_]\w*)=(.*)$/s.exec(word) ?? [];
    if (words.length === 0 && name !== undefined) env[name] = value;
    else if (REDIRECTION.test(word)) at += 1;
    else if (words.length > 0 || !['sudo', 'exec', 'time'].includes(word)) words.push(word);
  }
  return { env, words };
}

/** The words of a line, split where the shell would begin another program. */
function sentencesOf(text: string): string[][] {
  const sentences: string[][] = [[]];
  // Whitespace, a comment, what begins another program, a redirection; else a word, of pieces in quotes and bare ones.
  const token =
    /\s+|#.*|(\|\||&&|[|;&])|(\d?>>?|<(?![^<>\s|]*>))|((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s|;&<>"'\\]|<[^<>\s|]*>)+)/gsy;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, separator, redirection, word] = match;
    if (separator !== undefined) sentences.push([]);
    const piece = redirection ?? (word === undefined ? undefined : unquoted(word));
    if (piece !== undefined) sentences.at(-1)?.push(piece);
    if (token.lastIndex === text.length) break;
  }
  return sentences.filter((words) => words.length > 0);
}

function unquoted(word: string): string {
  return word.replace(
    /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/gs,
    (_, double?: string, single?: string, escaped?: string) =>
      double === undefined ? (single ?? escaped ?? '') : double.replace(/\\(.)/gs, '$1'),
  );
}
