import { describe, expect, test } from 'vitest';
import { endAll } from '../../scheduler/ending.ts';

const silent = { warn: () => undefined };

describe('parts that are ended', () => {
  test('are waited for', async () => {
    const ended: string[] = [];
    const part = async (name: string, turns: number): Promise<void> => {
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      ended.push(name);
    };
    await endAll({ one: part('one', 9), two: part('two', 1) }, silent);
    expect(ended).toEqual(['two', 'one']);
  });

  test('and do not end are named, and left behind', async () => {
    const told: object[] = [];
    const logger = { warn: (fields: object) => told.push(fields) };
    await endAll({ well: Promise.resolve(), hangs: new Promise(() => undefined) }, logger, 20);
    expect(told).toEqual([{ parts: ['hangs'], seconds: 0.02 }]);
  });

  test('and fail say so', async () => {
    await expect(endAll({ bad: Promise.reject(new Error('no')) }, silent)).rejects.toThrow('no');
  });
});
