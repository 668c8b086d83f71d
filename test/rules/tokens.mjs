/**
 * Splits TypeScript into the few kinds of tokens that finding imports takes: words, strings, punctuation. Comments,
 * regular expressions and the text of templates are dropped. (TypeScript 7 has no compiler API for JavaScript, and a
 * bundler's view has no type imports in it.)
 */

/**
 * @typedef {object} Token
 * @property {'word' | 'string' | 'template' | 'punctuation'} kind `template`: one with substitutions
 * @property {string} text a string's without its quotes
 * @property {number} line from 1
 */

const WORD = /[\p{ID_Start}$_#@][\p{ID_Continue}$]*/uy;
const NUMBER = /[0-9][\w.]*/y;
const SPACE = /\s+/y;
const COMMENT = /\/\/[^\n]*|\/\*.*?\*\//sy;
const STRING = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/sy;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const TEMPLATE_TEXT = /(?:[^`\\$]|\\.|\$(?!\{))*/sy;

// After these words an expression begins, so a slash begins a regular expression.
const BEFORE_EXPRESSION = new Set(['return', 'typeof', 'case', 'in', 'of', 'delete', 'void', 'throw', 'else', 'do']);

/**
 * @param {string} text
 * @returns {Token[]}
 */
export function tokensOf(text) {
  /** @type {Token[]} */
  const tokens = [];
  /** Open braces inside of each open `${`, innermost last. @type {number[]} */
  const substitutions = [];
  let at = text.startsWith('#!') ? text.indexOf('\n') : 0;
  if (at < 0) return tokens;
  let line = 1;

  /** @param {RegExp} pattern @returns {string | null} what matches here; it is passed over */
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found === undefined || found === '') return null;
    at += found.length;
    for (const character of found) if (character === '\n') line += 1;
    return found;
  };
  /** @param {Token['kind']} kind @param {string} content @param {number} from */
  const add = (kind, content, from) => tokens.push({ kind, text: content, line: from });
  /** The text of a template from here to its end or to the next substitution. @param {boolean} first */
  const takeTemplate = (first) => {
    const from = line;
    const content = take(TEMPLATE_TEXT) ?? '';
    if (text.startsWith('${', at)) {
      at += 2;
      substitutions.push(0);
      if (first) add('template', '', from);
    } else {
      at += 1;
      if (first) add('string', content, from);
    }
  };

  while (at < text.length) {
    if (take(SPACE) !== null || take(COMMENT) !== null) continue;
    const from = line;
    const string = take(STRING);
    if (string !== null) {
      add('string', string.slice(1, -1), from);
      continue;
    }
    const word = take(WORD);
    if (word !== null) {
      add('word', word, from);
      continue;
    }
    if (take(NUMBER) !== null) {
      add('word', '0', from);
      continue;
    }
    if (text[at] === '/' && mayBeginExpression(tokens.at(-1)) && take(REGEX) !== null) {
      add('word', '0', from);
      continue;
    }
    const character = text[at] ?? '';
    at += 1;
    if (character === '`') {
      takeTemplate(true);
      continue;
    }
    const depth = substitutions.at(-1);
    if (character === '}' && depth === 0) {
      substitutions.pop();
      takeTemplate(false);
      continue;
    }
    if (depth !== undefined && character === '{') substitutions[substitutions.length - 1] = depth + 1;
    if (depth !== undefined && character === '}') substitutions[substitutions.length - 1] = depth - 1;
    add('punctuation', character, from);
  }
  return tokens;
}

/** @param {Token | undefined} last */
function mayBeginExpression(last) {
  if (last === undefined) return true;
  if (last.kind === 'punctuation') return !')]}'.includes(last.text);
  return last.kind === 'word' && BEFORE_EXPRESSION.has(last.text);
}
