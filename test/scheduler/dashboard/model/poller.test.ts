import { describe, expect, test } from 'vitest';
import { Poller, type Timers } from '../../../../scheduler/dashboard/src/model/poller.ts';

/** Time that passes only when told to. */
class FakeTimers implements Timers {
  #now = 0;
  #due: { at: number; then: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, then: () => void): () => void {
    const entry = { at: this.#now + milliseconds, then };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((other) => other !== entry);
    };
  }

  get waiting(): number {
    return this.#due.length;
  }

  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = this.#due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = next.at;
      this.#due = this.#due.filter((other) => other !== next);
      next.then();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets promises that are ready have their turn. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function setUp() {
  const timers = new FakeTimers();
  const asked: number[] = [];
  const values: string[] = [];
  const failures: string[] = [];
  const pending: { resolve(value: string): void; reject(error: Error): void; signal: AbortSignal }[] = [];
  const poller = new Poller<string>({
    intervalMs: () => 1_000,
    timeoutMs: 5_000,
    maxBackoffMs: 4_000,
    timers,
    load: (signal) => {
      asked.push(timers.now());
      return new Promise((resolve, reject) => pending.push({ resolve, reject, signal }));
    },
    onValue: (value) => values.push(value),
    onFailure: (error) => failures.push(String(error)),
  });
  const last = () => {
    const request = pending.at(-1);
    if (request === undefined) throw new Error('nothing was asked');
    return request;
  };
  return {
    poller,
    timers,
    asked,
    values,
    failures,
    last,
    answer: async (value: string) => {
      last().resolve(value);
      await settle();
    },
    fail: async () => {
      last().reject(new Error('refused'));
      await settle();
    },
  };
}

describe('a poller', () => {
  test('asks at once, and then once an interval, counted from the start of each request', async () => {
    const { poller, timers, asked, values, answer } = setUp();
    poller.start();
    await timers.pass(300);
    await answer('a');
    await timers.pass(699);
    expect(asked).toEqual([0]);
    await timers.pass(1);
    expect(asked).toEqual([0, 1_000]);
    expect(values).toEqual(['a']);
  });

  test('has one request on its way at a time, and asks at once after a slow one', async () => {
    const { poller, timers, asked, answer } = setUp();
    poller.start();
    poller.start();
    await timers.pass(3_000);
    expect(asked).toEqual([0]);
    await answer('a');
    await timers.pass(0);
    expect(asked).toEqual([0, 3_000]);
  });

  test('waits longer after each failure up to a limit, and as before after a success', async () => {
    const { poller, timers, asked, fail, answer } = setUp();
    poller.start();
    for (const wait of [1_000, 2_000, 4_000, 4_000]) {
      await fail();
      await timers.pass(wait);
    }
    expect(asked).toEqual([0, 1_000, 3_000, 7_000, 11_000]);
    await answer('a');
    await timers.pass(1_000);
    expect(asked.at(-1)).toBe(12_000);
  });

  test('gives up a request without an answer', async () => {
    const { poller, timers, failures, values, last, answer } = setUp();
    poller.start();
    const { signal } = last();
    await timers.pass(5_000);
    expect(signal.aborted).toBe(true);
    expect(failures).toEqual(['Error: no answer within 5 s']);
    await answer('too late');
    expect(values).toEqual([]);
  });

  test('does nothing while paused, and takes no notice of what was on its way', async () => {
    const { poller, timers, asked, values, failures, last, answer } = setUp();
    poller.start();
    poller.pause();
    expect(last().signal.aborted).toBe(true);
    await answer('too late');
    await timers.pass(60_000);
    expect({ asked, values, failures, waiting: timers.waiting }).toEqual({
      asked: [0],
      values: [],
      failures: [],
      waiting: 0,
    });
    poller.start();
    expect(asked).toEqual([0, 60_000]);
  });

  test('asks at once at news when it waits because of a failure, and only then', async () => {
    const { poller, timers, asked, fail, answer } = setUp();
    poller.start();
    poller.nudge();
    await answer('a');
    poller.nudge();
    expect(asked).toEqual([0]);
    await timers.pass(1_000);
    await fail();
    poller.nudge();
    expect(asked).toEqual([0, 1_000, 1_000]);
  });
});
