/** Addresses by host and port: literals, names, and what happens to names over time. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InetAddresses } from '../../../agent-proxy/namers/inet.ts';
import type { AddressSet } from '../../../agent-proxy/routing/names.ts';
import { eventually } from '../../fixtures/eventually.ts';

function shown({ state }: AddressSet): string {
  if (state.kind === 'bound') return state.endpoints.map(({ address, port }) => `${address}:${port}`).join(' ');
  return state.kind === 'failed' ? `failed: ${state.reason}` : state.kind;
}

function problem(code: string): Error {
  return Object.assign(new Error(`getaddrinfo ${code} web`), { code });
}

describe('addresses of a literal', () => {
  const inet = new InetAddresses({ lookup: () => Promise.reject(new Error('asked')) });

  it('are there at once, in short form too', () => {
    expect(shown(inet.of('127.1', 8080))).toBe('127.0.0.1:8080');
    expect(shown(inet.of('[::1]', 80))).toBe('::1:80');
  });

  it('are the same set for everybody while somebody observes them', () => {
    const stop = inet.of('127.1', 80).observe(() => undefined);
    expect(inet.of('127.1', 80)).toBe(inet.of('127.1', 80));
    stop();
    stop();
    expect(inet.size).toBe(0);
  });

  it('are refused where they are link-local', () => {
    expect(shown(inet.of('169.254.169.254', 80))).toMatch(/link-local address, which is refused/);
    expect(shown(inet.of('::ffff:169.254.1.1', 80))).toMatch(/link-local/);
  });
});

it('localhost is resolved by the system', async () => {
  const inet = new InetAddresses();
  const addresses = inet.of('localhost', 80);
  const stop = addresses.observe(() => undefined);
  await eventually('localhost has an address', () => /^(127\.|::1)/.test(shown(addresses)));
  stop();
});

describe('addresses of a name', () => {
  let answers: (readonly string[] | Error)[];
  let asked: string[];
  let inet: InetAddresses;

  beforeEach(() => {
    vi.useFakeTimers();
    answers = [];
    asked = [];
    inet = new InetAddresses({
      lookup: (host) => {
        asked.push(host);
        const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? problem('EAI_AGAIN');
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  it('are asked for when somebody observes, and not before', async () => {
    answers = [['10.0.0.1']];
    const addresses = inet.of('web', 80);
    await pass(100_000);
    expect(asked).toHaveLength(0);
    expect(inet.size).toBe(0);
    addresses.observe(() => undefined);
    expect(shown(addresses)).toBe('pending');
    await pass(0);
    expect(shown(addresses)).toBe('10.0.0.1:80');
  });

  it('are shared and followed as long as they are observed', async () => {
    answers = [['10.0.0.1']];
    const changes: string[] = [];
    const stopFirst = inet.of('web', 80).observe(() => changes.push('first'));
    const stopSecond = inet.of('WEB', 80).observe((change) => changes.push(change.kind));
    await pass(0);
    expect(asked).toHaveLength(1);
    changes.length = 0;
    answers = [['10.0.0.2', '10.0.0.1']];
    await pass(5_000);
    expect(changes).toEqual(['first', 'patch']);
    expect(shown(inet.of('web', 80))).toBe('10.0.0.1:80 10.0.0.2:80');
    stopFirst();
    stopSecond();
    expect(inet.size).toBe(0);
    const before = asked.length;
    await pass(600_000);
    expect(asked).toHaveLength(before);
  });

  it('are asked for less often while they stay the same, up to once a minute', async () => {
    answers = [['10.0.0.1']];
    inet.of('web', 80).observe(() => undefined);
    const times: number[] = [];
    for (let second = 0; second < 250; second += 1) {
      const before = asked.length;
      await pass(1_000);
      if (asked.length > before) times.push(second + 1);
    }
    expect(times).toEqual([5, 15, 35, 75, 135, 195]);
  });

  it('are kept when resolving fails later', async () => {
    answers = [['10.0.0.1'], problem('EAI_AGAIN')];
    const addresses = inet.of('web', 80);
    addresses.observe(() => undefined);
    await pass(60_000);
    expect(asked.length).toBeGreaterThan(2);
    expect(shown(addresses)).toBe('10.0.0.1:80');
  });

  it('fail at first and recover', async () => {
    answers = [problem('EAI_AGAIN'), ['10.0.0.1']];
    const addresses = inet.of('web', 80);
    addresses.observe(() => undefined);
    await pass(0);
    expect(shown(addresses)).toMatch(/^failed: host 'web' could not be resolved: /);
    await pass(5_000);
    expect(shown(addresses)).toBe('10.0.0.1:80');
  });

  it('are Neg where there is no such name, until there is', async () => {
    answers = [['10.0.0.1'], problem('ENOTFOUND'), ['10.0.0.3']];
    const addresses = inet.of('web', 80);
    addresses.observe(() => undefined);
    await pass(5_000);
    expect(shown(addresses)).toBe('neg');
    await pass(5_000);
    expect(shown(addresses)).toBe('10.0.0.3:80');
  });

  it('are those of IPv4 where there are any, and never link-local ones', async () => {
    answers = [['::1', '169.254.1.1', '10.0.0.1']];
    const addresses = inet.of('web', 80);
    addresses.observe(() => undefined);
    await pass(0);
    expect(shown(addresses)).toBe('10.0.0.1:80');
    answers = [['169.254.1.1']];
    const other = inet.of('metadata', 80);
    other.observe(() => undefined);
    await pass(0);
    expect(shown(other)).toMatch(/link-local/);
  });

  it('that are fixed are resolved once', async () => {
    answers = [problem('EAI_AGAIN'), ['10.0.0.1'], ['10.0.0.2']];
    const addresses = inet.of('web', 80, false);
    addresses.observe(() => undefined);
    await pass(600_000);
    expect(shown(addresses)).toBe('10.0.0.1:80');
    expect(asked).toHaveLength(2);
  });
});

it('no more than two names are resolved at a time', async () => {
  const waiting: (() => void)[] = [];
  const inet = new InetAddresses({
    lookup: () => new Promise((resolve) => waiting.push(() => resolve(['10.0.0.1']))),
  });
  const sets = ['a', 'b', 'c', 'd'].map((host) => inet.of(host, 80));
  const stops = sets.map((set) => set.observe(() => undefined));
  expect(waiting).toHaveLength(2);
  waiting.shift()?.();
  await eventually('the third name has its turn', () => waiting.length === 2);
  while (waiting.length > 0) {
    waiting.shift()?.();
    await new Promise(setImmediate);
  }
  await eventually('all are bound', () => sets.every(({ state }) => state.kind === 'bound'));
  for (const stop of stops) stop();
});
