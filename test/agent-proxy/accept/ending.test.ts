/** How listeners end: who is served for how much longer, and when what is left is cut. */
import { expect, test } from 'vitest';
import { type EndingListener, endListeners } from '../../../agent-proxy/accept/ending.ts';

/** A listener with what a test says is going on, and what was done to it. */
class FakeListener implements EndingListener {
  readonly isLocal: boolean;
  readonly done: string[] = [];
  quiet = true;
  private closed = (): void => undefined;
  /** Ends by itself when it is closed, or when its idle connections are, or only when it is cut. */
  private readonly endsBy: 'close' | 'idle' | 'destroy';

  constructor(isLocal: boolean, endsBy: 'close' | 'idle' | 'destroy') {
    this.isLocal = isLocal;
    this.endsBy = endsBy;
  }

  close(): Promise<void> {
    this.note('close');
    return new Promise((resolve) => {
      this.closed = resolve;
      if (this.endsBy === 'close') resolve();
    });
  }

  isQuiet(): boolean {
    return this.quiet;
  }

  closeIdle(): void {
    this.note('idle');
    if (this.endsBy === 'idle') this.closed();
  }

  destroy(): void {
    this.note('destroy');
    this.closed();
  }

  private note(what: string): void {
    if (!this.done.includes(what)) this.done.push(what);
  }
}

test('a proxy that nobody uses ends at once', async () => {
  const listener = new FakeListener(true, 'close');
  const startedAt = performance.now();
  await endListeners([listener], 'over', 10_000);
  expect(listener.done).toContain('close');
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

test('local callers are served until they are quiet; others are refused at once', async () => {
  const local = new FakeListener(true, 'close');
  const peers = new FakeListener(false, 'close');
  local.quiet = false;
  const over = endListeners([local, peers], 'over', 10_000);
  expect(peers.done).toEqual(['close']);
  expect(local.done).toEqual([]);
  local.quiet = true;
  await over;
  expect(local.done).toContain('close');
});

test('local callers that are never quiet are served until the grace is almost over', async () => {
  const local = new FakeListener(true, 'destroy');
  local.quiet = false;
  const startedAt = performance.now();
  await endListeners([local], 'over', 300);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(299);
  expect(local.done).toEqual(['close', 'idle', 'destroy']);
});

test('where another worker has taken over, nobody is served further, and idle connections get their time', async () => {
  const listener = new FakeListener(true, 'idle');
  listener.quiet = false;
  const startedAt = performance.now();
  const over = endListeners([listener], 'replaced', 400);
  expect(listener.done).toEqual(['close']);
  await over;
  // Half of the grace.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(199);
  expect(listener.done).toEqual(['close', 'idle']);
});

test('without a grace nothing is cut', async () => {
  const listener = new FakeListener(true, 'destroy');
  let isOver = false;
  const over = endListeners([listener], 'replaced', null).then(() => {
    isOver = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(isOver).toBe(false);
  expect(listener.done).toEqual(['close']);
  listener.destroy();
  await over;
});
