/** docs/mesos-cases.md says where each case of the reference and each surprise of the recordings is tested: is it so? */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const SHARED = resolve(ROOT, '../shared');
const page = readFileSync(resolve(ROOT, 'docs/mesos-cases.md'), 'utf8');

/** The cells of each row of a table, by how many there are. */
const rows = (page.match(/^\|.*\|$/gm) ?? []).map((row) =>
  row
    .slice(1, -1)
    .split(' | ')
    .map((cell) => cell.trim()),
);
const pathOf = (cell: string): string | undefined => /^`(test\/.*\.ts)`$/.exec(cell)?.[1];
const textOf = (path: string): string => readFileSync(resolve(ROOT, path), 'utf8');

const cases = rows.flatMap(([number = '', , test = '']) => {
  const path = pathOf(test);
  return path === undefined ? [] : [{ number, path }];
});
const surprises = rows.flatMap(([words = '', test = '', title = '']) => {
  const path = pathOf(test);
  return path === undefined ? [] : [{ words, path, title }];
});

describe('the list of cases', () => {
  test('names a test for each: one whose title has the number', () => {
    expect(cases.length).toBeGreaterThan(90);
    const missing = cases.filter(({ number, path }) => !new RegExp(`['"[].*\\b${number}\\b`).test(textOf(path)));
    expect(missing).toEqual([]);
  });

  test('names a test for each surprise, by its title', () => {
    expect(surprises.length).toBeGreaterThan(40);
    expect(surprises.filter(({ path, title }) => !textOf(path).includes(title))).toEqual([]);
  });

  test.runIf(existsSync(SHARED))('leaves out none of the reference', () => {
    const reference = readFileSync(resolve(SHARED, 'reference/mesos.md'), 'utf8');
    const numbers = [...reference.matchAll(/^\| ([TSOURF]\d+) \|/gm)].map((match) => match[1]);
    const left = numbers.filter((number) => !rows.some(([cell]) => cell === number));
    expect(numbers.length).toBeGreaterThan(90);
    expect(left).toEqual([]);
  });

  test.runIf(existsSync(SHARED))('leaves out none of the surprises', () => {
    const list = readFileSync(resolve(SHARED, 'recordings/README.md'), 'utf8').split('## What a framework author')[1];
    const bullets = [...(list ?? '').matchAll(/^- (.*)$/gm)].map((match) => match[1] ?? '');
    const left = bullets.filter((bullet) => !surprises.some(({ words }) => bullet.startsWith(words)));
    expect(bullets.length).toBeGreaterThan(25);
    expect(left).toEqual([]);
  });
});
