/** The committed configurations: texts with `<name>` where a value comes in. */
import { readFileSync } from 'node:fs';

const FOLDER = new URL('../configurations/', import.meta.url);

/**
 * @param {string} file in configurations/
 * @param {Readonly<Record<string, string | number>>} values
 * @returns {string}
 */
export function fillIn(file, values) {
  return substitute(readFileSync(new URL(file, FOLDER), 'utf8'), values);
}

/**
 * A value of several lines is indented as its place is.
 *
 * @param {string} template
 * @param {Readonly<Record<string, string | number>>} values
 * @returns {string}
 */
export function substitute(template, values) {
  return template.replace(/^([ \t]*)(.*)$/gm, (_line, indent, rest) => {
    const filled = String(rest).replace(/<(\w+)>/g, (_place, name) => {
      const value = values[name];
      if (value === undefined) throw new Error(`the template has <${name}>, and there is no value for it`);
      return String(value).replaceAll('\n', `\n${indent}`);
    });
    return `${indent}${filled}`;
  });
}
