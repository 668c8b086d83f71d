import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError, checkConfig, loadConfig, parseConfig } from '../../../agent-proxy/config/load.ts';

const folder = join(import.meta.dirname, 'fixtures/mistakes');

function errorOf(file: string): ConfigError {
  try {
    loadConfig(file);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`${file} was accepted`);
}

describe('each mistake is one line with its place', () => {
  // Each file begins with what it is told, as comments.
  test.each(readdirSync(folder))('%s', (name) => {
    const file = join(folder, name);
    const expected = /^(?:# .*\n)+/.exec(readFileSync(file, 'utf8'))?.[0] ?? '';
    const { faults } = errorOf(file);
    expect(faults.toSorted()).toEqual(expected.trim().replace(/^# /gm, '').split('\n').toSorted());
  });
});

test('an error has the exit code 1 and names the file in each line', () => {
  const file = join(folder, 'several.yaml');
  const error = errorOf(file);
  expect(error.exitCode).toBe(1);
  expect(error.faults.length).toBeGreaterThan(1);
  expect(error.message.split('\n')).toEqual(error.faults.map((fault) => `${file}: ${fault}`));
});

test('a file that is not there is a fault', () => {
  expect(errorOf('/nonexistent.yaml').message).toMatch(/^\/nonexistent\.yaml: cannot be read: ENOENT/);
});

test('a text that cannot be read at all is told with its line and column', () => {
  expect(() => parseConfig('routers:\n- {protocol: http\n  label', 'linkerd.yaml')).toThrow(
    /^linkerd\.yaml: line 3, column 8: is neither YAML nor JSON: [^\n]+$/,
  );
});

test('an alias without its anchor is told', () => {
  expect(() => parseConfig('admin: *elsewhere\nrouters: [{protocol: http}]', 'linkerd.yaml')).toThrow(ConfigError);
});

const everything: unknown = JSON.parse(
  JSON.stringify(loadConfig(join(import.meta.dirname, 'fixtures/everything.yaml')).config),
);

/** A copy of the value in which one part, chosen by `steps`, is another. */
function damaged(value: unknown, steps: readonly number[], other: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined || typeof value !== 'object' || value === null) return other;
  const keys = Object.keys(value);
  const chosen = keys[step % keys.length];
  const changed = Object.entries(value).map(
    ([key, own]) => [key, key === chosen ? damaged(own, rest, other) : own] as const,
  );
  return Array.isArray(value) ? changed.map(([, own]) => own) : Object.fromEntries(changed);
}

test('whatever is written is accepted or refused with lines that name their places', () => {
  const document = fc.oneof(
    fc.jsonValue(),
    fc
      .tuple(fc.array(fc.nat(30), { maxLength: 6 }), fc.jsonValue())
      .map(([steps, other]) => damaged(everything, steps, other)),
  );
  fc.assert(
    fc.property(document, (written) => {
      try {
        checkConfig(written, 'test');
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        expect(error.faults.length).toBeGreaterThan(0);
        for (const fault of error.faults) expect(fault).toMatch(/^[^\n]+: [^\n]+$/);
      }
    }),
    { numRuns: 100, examples: [[{ routers: [{ protocol: { toString: null } }] }]] },
  );
});
