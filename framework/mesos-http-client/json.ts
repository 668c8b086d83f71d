/** JSON as Mesos writes it: with 64-bit integers, which JSON.parse would round. */

/**
 * Times since 1970 in nanoseconds have 19 digits. Only a key can be followed by a colon, for a quotation mark within a text
 * has a backslash before it: so this never finds anything inside a text.
 */
const LONG_NANOSECONDS = /"nanoseconds"(\s*):(\s*)(-?\d{16,})(?=[\s,}])/g;

/** Parses JSON; `nanoseconds` beyond the exact range of a number become their digits as text. @throws {SyntaxError} */
export function parseJson(text: string): unknown {
  return JSON.parse(text.replace(LONG_NANOSECONDS, '"nanoseconds"$1:$2"$3"'));
}
