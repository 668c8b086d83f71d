/** Questions between workers: pieces when they are asked for, and nobody waits for one that is gone. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ExportedScope } from '../../../agent-proxy/telemetry/merge.ts';
import { Answering, type Sources } from '../../../agent-proxy/workers/answering.ts';
import { ANSWER_MS, Asking } from '../../../agent-proxy/workers/asking.ts';
import type { Channel, FromFollower, FromLeader } from '../../../agent-proxy/workers/messages.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const scope = (at: number): ExportedScope => ({
  ...{ path: `rt/${at}`, name: 'rt', labels: {}, counters: { requests: at }, gauges: {}, stats: {} },
});

/** Both ends, on a way that holds what is sent until the test lets it through. */
function pair(sources: Partial<Sources>) {
  const toFollower: FromLeader[] = [];
  const toLeader: FromFollower[] = [];
  let isFull = false;
  const channel = <Sent, Heard>(queue: Sent[]): Channel<Sent, Heard> => ({
    send(_to, message) {
      if (isFull) return false;
      queue.push(message);
      return true;
    },
    onMessage: () => undefined,
  });
  const none = () => [];
  const asking = new Asking(channel<FromLeader, FromFollower>(toFollower));
  const answering = new Answering(channel<FromFollower, FromLeader>(toLeader), {
    ...{ metrics: none, requests: none, clients: none },
    ...sources,
  });
  return {
    asking,
    answering,
    toFollower,
    toLeader,
    fill: () => {
      isFull = true;
    },
    /** Lets all go over, to and fro, until there is nothing more. */
    async run(): Promise<void> {
      while (toFollower.length + toLeader.length > 0) {
        const asked = toFollower.shift();
        if (asked?.kind === 'ask') await answering.ask(0, asked.id, asked.question);
        if (asked?.kind === 'more') await answering.more(0, asked.id);
        const answer = toLeader.shift();
        if (answer?.kind === 'piece') asking.heard(answer);
      }
    },
  };
}

test('an answer of any length comes complete, in small pieces', async () => {
  const all = Array.from({ length: 333 }, (_, at) => scope(at));
  const { asking, run } = pair({ metrics: () => [all.slice(0, 300), [], all.slice(300)] });
  const answer = asking.ask(1, 'metrics');
  await run();
  const pieces = await answer;
  expect(pieces?.flat()).toEqual(all);
  expect(Math.max(...(pieces ?? []).map((piece) => piece.length))).toBeLessThanOrEqual(25);
  expect(asking.unanswered).toBe(0);
});

test('the next piece is only made when it is asked for', async () => {
  let made = 0;
  const metrics = function* () {
    for (;;) {
      made += 1;
      yield [scope(made)];
    }
  };
  const { asking, answering, toLeader } = pair({ metrics });
  void asking.ask(1, 'metrics');
  await answering.ask(0, 1, 'metrics');
  expect(made).toBe(1);
  expect(toLeader).toMatchObject([{ kind: 'piece', isLast: false }]);
  await answering.more(0, 1);
  expect(made).toBe(2);
});

test('a worker that does not answer is given up after half a second', async () => {
  const { asking } = pair({});
  const answer = asking.ask(1, 'metrics');
  await vi.advanceTimersByTimeAsync(ANSWER_MS);
  expect(await answer).toBeNull();
  expect(asking.unanswered).toBe(1);
});

test('an answer that stops in the middle counts as none', async () => {
  const { asking, toFollower } = pair({});
  const answer = asking.ask(1, 'metrics');
  const [asked] = toFollower;
  const id = asked?.kind === 'ask' ? asked.id : 0;
  await vi.advanceTimersByTimeAsync(ANSWER_MS - 1);
  asking.heard({ kind: 'piece', id, items: [scope(1)], isLast: false });
  await vi.advanceTimersByTimeAsync(ANSWER_MS - 1);
  asking.heard({ kind: 'piece', id, items: [scope(2)], isLast: false });
  await vi.advanceTimersByTimeAsync(ANSWER_MS);
  expect(await answer).toBeNull();
});

test('what comes too late, or was never asked for, is ignored', async () => {
  const { asking } = pair({});
  const answer = asking.ask(1, 'metrics');
  await vi.advanceTimersByTimeAsync(ANSWER_MS);
  asking.heard({ kind: 'piece', id: 1, items: [], isLast: true });
  asking.heard({ kind: 'piece', id: 99, items: [], isLast: true });
  expect(await answer).toBeNull();
});

test('where too much is on its way, the question is not asked', async () => {
  const { asking, fill } = pair({});
  fill();
  expect(await asking.ask(1, 'metrics')).toBeNull();
});
