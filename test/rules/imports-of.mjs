/**
 * All that a source file imports, in whatever form: values, types, re-exports, `import()` in code and in types.
 */
import { tokensOf } from './tokens.mjs';

/**
 * @typedef {object} Import
 * @property {string | null} specifier null: computed when it runs, so nobody can tell
 * @property {'import' | 'import type' | 'export' | 'export type' | 'import()' | 'require()'} form
 * @property {number} line
 */

/** @typedef {import('./tokens.mjs').Token} Token */

/**
 * @param {string} text
 * @returns {Import[]}
 */
export function importsOf(text) {
  const tokens = tokensOf(text);
  return tokens.flatMap((token, index) => {
    if (token.kind !== 'word' || is(tokens[index - 1], '.')) return [];
    const found = FINDERS.get(token.text)?.(tokens, index) ?? null;
    return found === null ? [] : [{ ...found, line: token.line }];
  });
}

/** @typedef {(tokens: readonly Token[], index: number) => Omit<Import, 'line'> | null} Finder */

/** @type {Finder} */
function findImport(tokens, index) {
  const next = tokens[index + 1];
  if (is(next, '(')) return { specifier: stringAt(tokens, index + 2), form: 'import()' };
  if (next?.kind === 'string') return { specifier: next.text, form: 'import' };
  if (is(next, '.')) return findResolve(tokens, index);
  if (next === undefined || is(next, ':') || is(next, '?') || is(next, ',') || is(next, '}')) return null;
  const specifier = fromClause(tokens, index + 1);
  return specifier === null ? null : { specifier, form: isType(tokens, index) ? 'import type' : 'import' };
}

/** `import.meta.resolve('…')`. @type {Finder} */
function findResolve(tokens, index) {
  const [meta, dot, resolve, open] = tokens.slice(index + 2, index + 6);
  if (!is(meta, 'meta') || !is(dot, '.') || !is(resolve, 'resolve') || !is(open, '(')) return null;
  return { specifier: stringAt(tokens, index + 6), form: 'import()' };
}

/** @type {Finder} */
function findExport(tokens, index) {
  const type = isType(tokens, index);
  const start = type ? index + 2 : index + 1;
  if (!is(tokens[start], '*') && !is(tokens[start], '{')) return null;
  const specifier = fromClause(tokens, start);
  return specifier === null ? null : { specifier, form: type ? 'export type' : 'export' };
}

/** @type {Finder} */
function findRequire(tokens, index) {
  if (!is(tokens[index + 1], '(')) return null;
  return { specifier: stringAt(tokens, index + 2), form: 'require()' };
}

/** @type {ReadonlyMap<string, Finder>} */
const FINDERS = new Map([
  ['import', findImport],
  ['export', findExport],
  ['require', findRequire],
]);

/**
 * What follows `from` in the clause that begins at `index`: names, commas, braces and a star may come before it.
 *
 * @param {readonly Token[]} tokens
 * @param {number} index
 * @returns {string | null} null when the clause has none (`export { a };`)
 */
function fromClause(tokens, index) {
  for (let at = index; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined) return null;
    const next = tokens[at + 1];
    if (is(token, 'from') && next?.kind === 'string') return next.text;
    if (token.kind === 'punctuation' && !'{},*'.includes(token.text)) return null;
    // A closing brace ends the clause, unless `from` comes next.
    if (is(token, '}') && !is(next, 'from')) return null;
  }
  return null;
}

/**
 * `import type { A }`, but not `import type from` (a default import of that name).
 *
 * @param {readonly Token[]} tokens
 * @param {number} index of `import` or `export`
 */
function isType(tokens, index) {
  const after = tokens[index + 2];
  return is(tokens[index + 1], 'type') && !is(after, 'from') && !is(after, ',');
}

/**
 * @param {readonly Token[]} tokens
 * @param {number} index
 */
function stringAt(tokens, index) {
  const token = tokens[index];
  const next = tokens[index + 1];
  return token?.kind === 'string' && (is(next, ')') || is(next, ',')) ? token.text : null;
}

/**
 * @param {Token | undefined} token
 * @param {string} text
 */
function is(token, text) {
  return token !== undefined && token.text === text && (token.kind === 'word' || token.kind === 'punctuation');
}
