/**
 * The TOML that the DC/OS CLI writes: tables, and keys with a string, a truth value or a number in one line
 * (toml.io/en/v1.0.0). Everything else of TOML is told by its line, and the rest of the file still read.
 */

export interface Toml {
  /** By `table.key`. */
  readonly values: ReadonlyMap<string, string>;
  /** Numbers of lines that were not understood, from 1. */
  readonly unread: readonly number[];
}

const NAME = String.raw`(?:[A-Za-z0-9_-]+|"[^"\\]*"|'[^']*')`;
const NAMES = String.raw`${NAME}(?:\s*\.\s*${NAME})*`;
const TABLE = new RegExp(String.raw`^\s*\[\s*(${NAMES})\s*\]\s*(?:#.*)?$`);
const PAIR = new RegExp(String.raw`^\s*(${NAMES})\s*=\s*(.*)$`);
const EMPTY = /^\s*(?:#.*)?$/;
const VALUE = /^(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(true|false|[+-]?\d[\d_]*(?:\.\d+)?))\s*(?:#.*)?$/;

export function readToml(text: string): Toml {
  const values = new Map<string, string>();
  const unread: number[] = [];
  /** Null: keys of a table that was not understood are nobody's. */
  let table: string[] | null = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (EMPTY.test(line)) continue;
    const head = TABLE.exec(line)?.[1];
    if (head !== undefined) {
      table = namesIn(head);
      continue;
    }
    const pair = PAIR.exec(line);
    const value = pair === null ? null : readValue(pair[2] ?? '');
    if (pair === null || value === null || table === null) unread.push(index + 1);
    else values.set([...table, ...namesIn(pair[1] ?? '')].join('.'), value);
    if (pair === null && /^\s*\[/.test(line)) table = null;
  }
  return { values, unread };
}

function namesIn(text: string): string[] {
  return Array.from(text.matchAll(new RegExp(NAME, 'g')), ([name]) => name.replace(/^["']|["']$/g, ''));
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', '"': '"', '\\': '\\' };

/** As text, whatever its type. Null for what this does not read. */
function readValue(text: string): string | null {
  const [whole, basic, literal, plain] = VALUE.exec(text.trimEnd()) ?? [];
  if (whole === undefined) return null;
  if (basic === undefined) return literal ?? plain ?? null;
  let bad = false;
  const value = basic.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g, (_, short, long, letter) => {
    const escaped = letter === undefined ? undefined : ESCAPES[letter];
    if (escaped !== undefined) return escaped;
    const code = Number.parseInt(short ?? long ?? '', 16);
    if (code <= 0x10ffff) return String.fromCodePoint(code);
    bad = true;
    return '';
  });
  return bad ? null : value;
}
