/** The words of a command line, as far as POSIX' shell has them without running anything (2.2 Quoting, 2.3 Token Recognition). */

/** One command of a pipe or list. */
export interface ShellCommand {
  readonly words: readonly string[];
  /** Variables that the shell would have replaced; they stay in the words as they are written. */
  readonly variables: readonly string[];
}

export function wordsOf(text: string): ShellCommand[] {
  const commands: { words: string[]; variables: string[] }[] = [];
  let words: string[] = [];
  let variables: string[] = [];
  let word: string | null = null;
  const endWord = (): void => {
    if (word !== null) words.push(word);
    word = null;
  };
  const endCommand = (): void => {
    endWord();
    if (words.length > 0) commands.push({ words, variables });
    words = [];
    variables = [];
  };

  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === "'") {
      const end = text.indexOf("'", at + 1);
      const until = end < 0 ? text.length : end;
      word = (word ?? '') + text.slice(at + 1, until);
      at = until;
    } else if (char === '"') {
      const quoted = inDoubleQuotes(text, at + 1);
      word = (word ?? '') + quoted.text;
      variables.push(...quoted.variables);
      at = quoted.end;
    } else if (char === '\\') {
      const next = text[at + 1] ?? '';
      if (next !== '\n') word = (word ?? '') + next;
      at += 1;
    } else if (/[ \t]/.test(char)) endWord();
    else if (/[<>]/.test(char)) {
      // A redirection: what it goes to is no word of the command (2.7).
      endWord();
      at += /^[<>&|]*[ \t]*[^\s|;&<>]*/.exec(text.slice(at + 1))?.[0].length ?? 0;
    } else if (/[|;&\n]/.test(char)) endCommand();
    else {
      if (char === '$') variables.push(...variableAt(text, at));
      word = (word ?? '') + char;
    }
  }
  endCommand();
  return commands;
}

/** Between double quotes a backslash escapes `$`, a backquote, `"`, itself and the end of a line, and nothing else. */
function inDoubleQuotes(text: string, from: number): { text: string; end: number; variables: readonly string[] } {
  let result = '';
  const variables: string[] = [];
  let at = from;
  for (; at < text.length && text[at] !== '"'; at += 1) {
    const char = text[at] ?? '';
    const next = text[at + 1] ?? '';
    if (char === '\\' && /[$`"\\\n]/.test(next)) {
      if (next !== '\n') result += next;
      at += 1;
      continue;
    }
    if (char === '$') variables.push(...variableAt(text, at));
    result += char;
  }
  return { text: result, end: at, variables };
}

/** `$1` is none, nor is `$/`, with which names begin in dtabs. */
function variableAt(text: string, at: number): string[] {
  const name = /^\$\{?([A-Za-z_]\w*)/.exec(text.slice(at, at + 130))?.[1];
  return name === undefined ? [] : [name];
}
