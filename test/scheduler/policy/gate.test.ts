/** The gate: what is blamed on a change, and what is not. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GateInput, type JudgedNode, judgeTraffic } from '../../../scheduler/policy/gate.ts';
import type { Counts, Figures } from '../../../scheduler/policy/traffic-history.ts';

type Given = Readonly<Record<string, readonly [requests: number, failures?: number, proxyErrors?: number]>>;

function figures(given: Given, coveredMs = 30_000): Figures {
  const services = new Map<string, Counts>();
  for (const [key, [requests, failures = 0, proxyErrors = 0]] of Object.entries(given)) {
    services.set(key, { requests, failures, proxyErrors });
  }
  return { coveredMs, services };
}

const node = (past: Given | null, now: Given, name = 'n1'): JudgedNode => ({
  name,
  past: past === null ? null : figures(past, 60_000),
  now: figures(now),
});

const judge = (changed: JudgedNode[], others: JudgedNode[] = [], rest: Partial<GateInput> = {}) =>
  judgeTraffic({ changed, others, minRequests: 100, isEnd: true, isWidest: false, ...rest });

const WEB = 'outgoing web';

describe('failures', () => {
  test('none, with enough requests: it passes', () => {
    expect(judge([node({ [WEB]: [2_000] }, { [WEB]: [1_000] })])).toEqual({ kind: 'pass' });
  });

  test('a rise that others did not see fails it, with the figures', () => {
    const verdict = judge(
      [node({ [WEB]: [2_000, 2] }, { [WEB]: [1_000, 50] })],
      [node({ [WEB]: [2_000] }, { [WEB]: [1_000, 1] })],
    );
    expect(verdict).toEqual({
      kind: 'fail',
      why: '5% of 1000 requests failed (outgoing web; 0.1% before, elsewhere 0% before and 0.1% now), on n1',
    });
  });

  test('what failed before may fail as before', () => {
    expect(judge([node({ [WEB]: [2_000, 600] }, { [WEB]: [1_000, 310] })])).toEqual({ kind: 'pass' });
  });

  test('the same rise everywhere holds it', () => {
    const same = (name: string) => node({ [WEB]: [2_000] }, { [WEB]: [1_000, 300] }, name);
    expect(judge([same('n1')], [same('n2'), same('n3')])).toMatchObject({
      kind: 'hold',
      why: expect.stringContaining('n1'),
    });
  });

  test('a rise far above that of others fails it all the same', () => {
    const others = [node({ [WEB]: [2_000] }, { [WEB]: [1_000, 330] }, 'n2')];
    expect(judge([node({ [WEB]: [2_000] }, { [WEB]: [1_000, 1_000] })], others)).toMatchObject({ kind: 'fail' });
  });

  test('that others got better is not held against it', () => {
    const others = [node({ [WEB]: [2_000, 1_000] }, { [WEB]: [1_000] }, 'n2')];
    expect(judge([node({ [WEB]: [2_000, 100] }, { [WEB]: [1_000, 50] })], others)).toEqual({ kind: 'pass' });
  });

  test('one service of several, on one node of several, on one side', () => {
    const well = { [WEB]: [2_000], 'incoming gen': [2_000] } as const;
    const now = { [WEB]: [1_000], 'incoming gen': [1_000, 100] } as const;
    const verdict = judge([node(well, { [WEB]: [1_000], 'incoming gen': [1_000] }), node(well, now, 'n2')]);
    expect(verdict).toMatchObject({ kind: 'fail', why: expect.stringMatching(/\(incoming gen; .*on n2$/) });
  });

  test('without a past of its own it is compared with the others', () => {
    const others = [node(null, { [WEB]: [1_000] }, 'n2')];
    expect(judge([node(null, { [WEB]: [1_000, 500] })], others)).toMatchObject({ kind: 'fail' });
    expect(judge([node(null, { [WEB]: [1_000] })], others)).toEqual({ kind: 'pass' });
    // With nobody to compare it with, nothing is known.
    expect(judge([node(null, { [WEB]: [1_000, 500] })])).toEqual({ kind: 'few' });
  });

  test('early only what is beyond doubt counts', () => {
    const some = [node({ [WEB]: [2_000] }, { [WEB]: [100, 6] })];
    expect(judge(some, [], { isEnd: false })).toEqual({ kind: 'pass' });
    const all = [node({ [WEB]: [2_000] }, { [WEB]: [8, 8] })];
    expect(judge(all, [], { isEnd: false })).toMatchObject({ kind: 'fail' });
    expect(judge([node({ [WEB]: [2_000] }, { [WEB]: [3, 3] })], [], { isEnd: false })).toEqual({ kind: 'few' });
  });
});

test('errors of the proxy itself fail it where as many failures would not', () => {
  const past = { [WEB]: [4_000] } as const;
  expect(judge([node(past, { [WEB]: [2_000, 24, 0] })])).toEqual({ kind: 'pass' });
  expect(judge([node(past, { [WEB]: [2_000, 24, 24] })])).toMatchObject({
    kind: 'fail',
    why: expect.stringContaining('1.2% of 2000 requests failed by errors of the proxy itself'),
  });
});

describe('traffic', () => {
  const past = { [WEB]: [2_000] } as const;

  test('less than half of what was to be expected fails it', () => {
    expect(judge([node(past, { [WEB]: [480] })])).toEqual({
      kind: 'fail',
      why: '480 requests came where 1000 were to be expected (outgoing web), on n1',
    });
    expect(judge([node(past, {})])).toMatchObject({ kind: 'fail' });
    expect(judge([node(past, { [WEB]: [520] })])).toEqual({ kind: 'pass' });
  });

  test('in a short window it is doubted, until the window is at its widest', () => {
    const short = [{ name: 'n1', past: figures(past, 60_000), now: figures({ [WEB]: [1] }, 5_000) }];
    expect(judge(short)).toEqual({ kind: 'few' });
    expect(judge(short, [], { isWidest: true })).toMatchObject({ kind: 'fail' });
  });

  test('not where it fell elsewhere too, nor before the window is over, nor where there never was much', () => {
    const others = [node(past, { [WEB]: [100] }, 'n2')];
    expect(judge([node(past, { [WEB]: [100] })], others)).toEqual({ kind: 'pass' });
    expect(judge([node(past, { [WEB]: [100] })], [], { isEnd: false })).toEqual({ kind: 'pass' });
    expect(judge([node({ [WEB]: [30] }, {})])).toEqual({ kind: 'few' });
  });

  test('of a service that only this node has, that of its side elsewhere tells', () => {
    const others = [node({ 'outgoing other': [2_000] }, { 'outgoing other': [50] }, 'n2')];
    expect(judge([node(past, { [WEB]: [100] })], others)).toEqual({ kind: 'pass' });
  });

  test('too little to judge by is few', () => {
    expect(judge([node(past, { [WEB]: [900] })], [], { minRequests: 901 })).toEqual({ kind: 'few' });
    expect(judge([])).toEqual({ kind: 'few' });
    expect(judge([], [], { minRequests: 0 })).toEqual({ kind: 'pass' });
  });
});

test('where nothing has changed, chance alone hardly ever fails it', () => {
  // Bernoulli trials with a generator of our own, so that the test always sees the same.
  let seed = 1;
  const random = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return seed / 2 ** 32;
  };
  const trials = (requests: number, share: number): number => {
    let failures = 0;
    for (let index = 0; index < requests; index++) if (random() < share) failures += 1;
    return failures;
  };
  let failed = 0;
  const ROUNDS = 600;
  for (let round = 0; round < ROUNDS; round++) {
    const share = [0, 0.01, 0.1, 0.5][round % 4] ?? 0;
    const sample = (requests: number): Given => ({ [WEB]: [requests, trials(requests, share)] });
    const verdict = judge([node(sample(600), sample(300))], [node(sample(1_200), sample(600), 'n2')]);
    if (verdict.kind === 'fail') failed += 1;
  }
  expect(failed).toBeLessThan(ROUNDS / 100);
});

test('more failures on the changed node never make a verdict better', () => {
  const RANK = { pass: 0, few: 0, hold: 1, fail: 2 } as const;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.nat(500),
      fc.nat(500),
      fc.nat(100),
      (requests, one, two, before) => {
        const [less, more] = [one, two].map((failures) => Math.min(failures, requests)).sort((a, b) => a - b);
        const kind = (failures = 0) => judge([node({ [WEB]: [1_000, before] }, { [WEB]: [requests, failures] })]).kind;
        const fell = kind(0) === 'fail';
        if (!fell) expect(RANK[kind(more)]).toBeGreaterThanOrEqual(RANK[kind(less)]);
      },
    ),
  );
});
