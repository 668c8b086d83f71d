/** The decisions of an upgrade, with a clock that the test turns: when it is done, when it is given up, what waits. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Upgrade } from '../../../agent-proxy/control/contract.ts';
import { Upgrades } from '../../../agent-proxy/supervisor/upgrades.ts';
import { memoryLog } from '../../fixtures/proxy.ts';

const STARTED_WITH = 'a'.repeat(64);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function wanted(letter: string): Upgrade {
  const sha256 = letter.repeat(64);
  return { type: 'upgrade', epoch: 1, url: `http://s/${letter}`, sha256, version: letter, codeSha256: sha256 };
}

/** What a supervisor does, said by the first letter of each code's digest; a fetch ends when the test lets it. */
function upgradesOf(refused: readonly string[] = []) {
  const done: string[] = [];
  const fetches: { readonly letter: string; end(error?: Error): void }[] = [];
  const upgrades = new Upgrades(
    {
      fetch: ({ url, version }) =>
        new Promise((resolve, reject) => {
          fetches.push({ letter: version, end: (error) => (error === undefined ? resolve(url) : reject(error)) });
        }),
      replaceBy: ({ words: [file = ''] }) => {
        const letter = file.slice(-1);
        if (refused.includes(letter)) return Promise.reject(new Error(`${letter} does not start`));
        done.push(`run ${letter}`);
        return Promise.resolve();
      },
      tell: ({ state, codeSha256 }) => done.push(`${state} ${codeSha256[0]}`),
      keepOnly: (kept) => {
        done.push(`keep ${[...kept].map((sha256) => sha256[0]).join('')}`);
        return Promise.resolve();
      },
      log: memoryLog([]),
    },
    ['the/first/a'],
  );
  return {
    upgrades,
    done,
    ask: (letter: string) => upgrades.ask(wanted(letter), STARTED_WITH),
    /** Lets the fetch that is under way end. */
    async fetched(error?: Error) {
      fetches.shift()?.end(error);
      await vi.advanceTimersByTimeAsync(0);
    },
    pending: () => fetches.map(({ letter }) => letter),
  };
}

test('new code that the scheduler hears of is done after a minute', async () => {
  const { upgrades, done, ask, fetched } = upgradesOf();
  ask('b');
  await fetched();
  expect(done).toEqual(['fetching b', 'starting b', 'run b', 'proving b', 'keep ba']);
  upgrades.reached();
  await vi.advanceTimersByTimeAsync(59_999);
  expect(upgrades.report?.state).toBe('proving');
  await vi.advanceTimersByTimeAsync(1);
  expect(upgrades.report).toEqual({ state: 'done', codeSha256: 'b'.repeat(64), reason: null });
  upgrades.died();
  upgrades.died();
  expect(done.at(-1)).toBe('done b');
});

test('new code that no scheduler hears of is given up after 30 s', async () => {
  const { upgrades, done, ask, fetched } = upgradesOf();
  ask('b');
  await fetched();
  await vi.advanceTimersByTimeAsync(29_999);
  expect(upgrades.report?.state).toBe('proving');
  await vi.advanceTimersByTimeAsync(1);
  expect(done.slice(-3)).toEqual(['failed b', 'run a', 'keep a']);
  expect(upgrades.report?.reason).toBe('no scheduler took its report within 30000 ms');
  await vi.advanceTimersByTimeAsync(120_000);
  expect(done.slice(-1)).toEqual(['keep a']);
});

test('of what is asked for meanwhile the last one follows, and what is under way is not begun again', async () => {
  const { done, ask, fetched, pending } = upgradesOf();
  for (const letter of ['b', 'c', 'd', 'b', 'e', 'e']) ask(letter);
  expect(pending()).toEqual(['b']);
  await fetched();
  expect(pending()).toEqual(['e']);
  await fetched();
  expect(pending()).toEqual([]);
  expect(done.filter((what) => what.startsWith('run'))).toEqual(['run b', 'run e']);
});

test('what runs already is not asked for', async () => {
  const { done, ask, fetched, pending } = upgradesOf();
  ask('a');
  expect(pending()).toEqual([]);
  ask('b');
  await fetched();
  ask('b');
  expect(pending()).toEqual([]);
  expect(done.filter((what) => what.startsWith('run'))).toEqual(['run b']);
});

test('code that has not proven itself is nothing to go back to', async () => {
  const { upgrades, done, ask, fetched } = upgradesOf();
  ask('b');
  await fetched();
  ask('c');
  await fetched();
  upgrades.died();
  upgrades.died();
  await vi.advanceTimersByTimeAsync(0);
  expect(done.filter((what) => what.startsWith('run'))).toEqual(['run b', 'run c', 'run a']);
});

test('an archive that does not come leaves all as it is, and can be asked for again', async () => {
  const { upgrades, done, ask, fetched, pending } = upgradesOf();
  ask('b');
  await fetched(new Error('nobody there'));
  expect(upgrades.report).toEqual({ state: 'failed', codeSha256: 'b'.repeat(64), reason: 'nobody there' });
  expect(done).toEqual(['fetching b', 'failed b', 'keep a']);
  ask('b');
  expect(pending()).toEqual(['b']);
});

test('where the code before does not start either, the new one goes on, and both reasons are told', async () => {
  const { upgrades, ask, fetched } = upgradesOf(['a']);
  ask('b');
  await fetched();
  upgrades.died();
  upgrades.died();
  await vi.advanceTimersByTimeAsync(0);
  expect(upgrades.report?.reason).toBe(
    'its workers died 2 times in a minute; and the code before it cannot take over: a does not start',
  );
  expect(upgrades.code.words[0]).toBe('http://s/b');
});

test('nothing begins any more in a proxy that stops', async () => {
  const { upgrades, done, ask, fetched } = upgradesOf();
  ask('b');
  upgrades.stop();
  await fetched();
  expect(done).toEqual(['fetching b']);
  expect(vi.getTimerCount()).toBe(0);
});
