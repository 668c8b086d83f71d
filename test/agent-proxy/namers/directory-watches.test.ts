/** Looks at files: a few at a time, and those that requests wait for not behind the others. */
import { expect, test } from 'vitest';
import { DirectoryWatches } from '../../../agent-proxy/namers/directory-watches.ts';

/** Looks that are under way until they are let go. */
function useLooks() {
  const watches = new DirectoryWatches();
  const ends: (() => void)[] = [];
  const begun: string[] = [];
  return {
    begun,
    look(name: string, kind: 'awaited' | 'again'): void {
      watches.whenFree(async () => {
        begun.push(name);
        await new Promise<void>((resolve) => ends.push(resolve));
      }, kind);
    },
    async endOne(): Promise<void> {
      ends.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('a thousand files that changed are looked at four at a time, each when another is done', async () => {
  const { look, begun, endOne } = useLooks();
  for (let index = 0; index < 1_000; index += 1) look(`changed-${index}`, 'again');
  expect(begun).toHaveLength(4);
  await endOne();
  expect(begun).toEqual(['changed-0', 'changed-1', 'changed-2', 'changed-3', 'changed-4']);
});

test('a name that a request waits for is looked up beside them, and they are many at a time', () => {
  const { look, begun } = useLooks();
  for (let index = 0; index < 1_000; index += 1) look(`changed-${index}`, 'again');
  for (let index = 0; index < 100; index += 1) look(`new-${index}`, 'awaited');
  expect(begun.filter((name) => name.startsWith('new-'))).toHaveLength(64);
});
