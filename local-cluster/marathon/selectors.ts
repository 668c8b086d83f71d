/** Marathon's label selectors: `k`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, joined by commas that mean *and*. */

type Predicate = (labels: Readonly<Record<string, string>>) => boolean;

const KEY = '[A-Za-z0-9_./-]+';
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s+\\(([^()]*)\\)$`);
const EQUAL = new RegExp(`^(${KEY})\\s*(==|!=|=)\\s*(.*)$`);
const EXISTS = new RegExp(`^(${KEY})$`);

/** Commas outside of parentheses. */
function terms(text: string): string[] {
  return text.split(/,(?![^(]*\))/).map((term) => term.trim());
}

function predicate(term: string): Predicate | null {
  const set = SET.exec(term);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return operator === 'in'
      ? (labels) => labels[key] !== undefined && values.includes(labels[key])
      : (labels) => labels[key] !== undefined && !values.includes(labels[key]);
  }
  const equal = EQUAL.exec(term);
  if (equal !== null) {
    const [, key = '', operator, value = ''] = equal;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const exists = EXISTS.exec(term);
  if (exists === null) return null;
  const [, key = ''] = exists;
  return (labels) => labels[key] !== undefined;
}

/** Null when the text is no selector. */
export function parseSelector(text: string): Predicate | null {
  const predicates = terms(text).map(predicate);
  if (predicates.includes(null)) return null;
  return (labels) => predicates.every((holds) => holds?.(labels) === true);
}
