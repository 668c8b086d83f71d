/**
 * Walks over a text of the dtab language (a path, a tree, a dtab) character by character, and says where it is wrong in
 * linkerd's words: `'<expected>' expected but '<found>' found at '<before>[<char>]<after>'`.
 */

/** How much of a long line is shown on each side of a fault. */
const EXCERPT = 60;
const SPACE = /\s/;

/** A fault in a text of the dtab language. The message is one line; `line` and `column` count from 1. */
export class DtabError extends Error {
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.name = 'DtabError';
    this.line = line;
    this.column = column;
  }
}

export class Scanner {
  readonly text: string;
  position = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The character here, or `''` at the end. */
  get here(): string {
    return this.text.charAt(this.position);
  }

  get atEnd(): boolean {
    return this.position >= this.text.length;
  }

  /** Steps over `token` if it is here. */
  accept(token: string): boolean {
    if (!this.text.startsWith(token, this.position)) return false;
    this.position += token.length;
    return true;
  }

  /** Steps over `token`, which has to be here. */
  expect(token: string): void {
    if (!this.accept(token)) this.fail(token);
  }

  expectEnd(): void {
    if (!this.atEnd) this.fail('end of input');
  }

  /** Steps over what matches a sticky expression, and returns it (perhaps `''`). */
  take(sticky: RegExp): string {
    sticky.lastIndex = this.position;
    const taken = sticky.exec(this.text)?.[0] ?? '';
    this.position += taken.length;
    return taken;
  }

  /** Steps over whitespace and comments: `#` to the end of its line. Inside a path `#` is a character like others. */
  skipSpace(): void {
    while (!this.atEnd) {
      if (SPACE.test(this.here)) this.position += 1;
      else if (this.here === '#') this.skipLine();
      else return;
    }
  }

  /** Throws a {@link DtabError} for this position. */
  fail(expected: string): never {
    const before = this.text.slice(0, this.position);
    const lineStart = before.lastIndexOf('\n') + 1;
    const line = before.split('\n').length;
    const column = this.position - lineStart + 1;
    const found = foundAs(this.here);
    throw new DtabError(`'${expected}' expected but '${found}' found at '${this.excerpt(lineStart)}'`, line, column);
  }

  /** The line of the fault with the character in brackets: a dtab may be long, and a message is one line. */
  private excerpt(lineStart: number): string {
    const newline = this.text.indexOf('\n', this.position);
    const lineEnd = newline === -1 ? this.text.length : newline;
    const start = Math.max(lineStart, this.position - EXCERPT);
    const end = Math.min(lineEnd, this.position + 1 + EXCERPT);
    const before = this.text.slice(start, this.position);
    const char = this.position < lineEnd ? this.here : '';
    const after = this.text.slice(this.position + 1, end);
    return printable(`${start > lineStart ? '...' : ''}${before}[${char}]${after}${end < lineEnd ? '...' : ''}`);
  }

  private skipLine(): void {
    const newline = this.text.indexOf('\n', this.position);
    this.position = newline === -1 ? this.text.length : newline + 1;
  }
}

function foundAs(char: string): string {
  if (char === '') return 'end of input';
  return char === '\n' ? 'end of line' : printable(char);
}

/** The text with control characters shown as spaces: it goes into logs and headers. */
function printable(text: string): string {
  let shown = '';
  for (const char of text) shown += char < ' ' || char === '\u007f' ? ' ' : char;
  return shown;
}
