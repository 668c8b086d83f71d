/** The plan of a configuration, on a clock of its own and on clusters that do what they like. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  beginRollout,
  type ConfigRollout,
  configRolloutSchema,
  type NodeFact,
  type RolloutEvent,
  type RolloutSettings,
  revisionFor,
  stepRollout,
  type Verdict,
} from '../../../scheduler/policy/config-rollout.ts';

const SETTINGS: RolloutSettings = {
  ...{ canary: 1, steps: [50, 100], windowMs: 1_000, minRequests: 10, maxUnavailable: 1, stepTimeoutMs: 5_000 },
};
const LOOK_MS = 250;
const PASS: Verdict = { kind: 'pass' };

interface FakeNode {
  fact: NodeFact;
  /** How many looks it takes to run what it is told; null: it never does. */
  takes: number | null;
  told: number | null;
  left: number;
}

class FakeCluster {
  state: ConfigRollout;
  now = 1_000_000;
  completed = 1;
  verdict: Verdict = PASS;
  frozen = false;
  readonly nodes: FakeNode[];
  /** Each revision that each node was told. */
  readonly told: [string, number][] = [];
  mostChanging = 0;

  constructor(count: number, settings: Partial<RolloutSettings> = {}) {
    this.nodes = Array.from({ length: count }, (_, index) => ({
      ...{ takes: 1, told: null, left: 0 },
      fact: {
        ...{ agentId: `S${index}`, name: `node${index}`, away: false, healthy: true, revision: 1 },
        ...{ refusal: null, probe: 'ok' },
      },
    }));
    const given = { revision: 2, from: 1, settings: { ...SETTINGS, ...settings }, nodes: count };
    this.state = beginRollout(given, this.now);
  }

  set(index: number, fact: Partial<NodeFact>): void {
    const node = this.nodes[index];
    if (node !== undefined) node.fact = { ...node.fact, ...fact };
  }

  step(event: RolloutEvent): void {
    const { state, actions } = stepRollout(this.state, event, this.now);
    // It is JSON, and its shape is what is stored.
    expect(configRolloutSchema.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
    this.state = state;
    this.mostChanging = Math.max(this.mostChanging, state.changing.length);
    if (state.direction === 'over' && state.outcome !== 'bad' && state.outcome !== 'aborted') this.completed = 2;
    for (const action of actions) {
      if (action.kind !== 'tell') continue;
      const revision = revisionFor(state, this.completed, action.agentId);
      this.told.push([action.agentId, revision]);
      const node = this.nodes.find(({ fact }) => fact.agentId === action.agentId);
      if (node === undefined) continue;
      node.told = revision;
      node.left = node.takes ?? Number.POSITIVE_INFINITY;
    }
  }

  look(): void {
    this.now += LOOK_MS;
    for (const node of this.nodes) {
      node.left -= 1;
      if (node.told === null || node.left > 0) continue;
      node.fact = { ...node.fact, revision: node.told };
      node.told = null;
    }
    const nodes = this.nodes.map(({ fact }) => fact);
    this.step({ kind: 'look', nodes, verdict: this.verdict, frozen: this.frozen });
  }

  /** Looks until it is so. */
  until(isSo: () => boolean, most = 2_000): void {
    for (let looks = 0; !isSo(); looks++) {
      if (looks === most) throw new Error(`not so after ${most} looks: ${JSON.stringify(this.state)}`);
      this.look();
    }
  }

  end(most?: number): ConfigRollout {
    this.until(() => this.state.direction === 'over', most);
    return this.state;
  }

  revisions(): number[] {
    return this.nodes.map(({ fact }) => fact.revision);
  }
}

describe('forward', () => {
  test('a canary, half of them, all of them, each held over its window', () => {
    const cluster = new FakeCluster(4);
    cluster.until(() => cluster.state.window !== null);
    expect(cluster.state).toMatchObject({ phase: 0, changed: ['S0'] });
    const at = cluster.now;
    cluster.until(() => cluster.state.phase === 1);
    expect(cluster.now - at).toBeGreaterThanOrEqual(1_000);
    cluster.until(() => cluster.state.phase === 2);
    expect(cluster.state).toMatchObject({ changed: ['S0', 'S1'], ends: [1, 2] });
    expect(cluster.end()).toMatchObject({ outcome: 'completed', unproven: [], why: null });
    expect(cluster.told).toEqual(['S0', 'S1', 'S2', 'S3'].map((id) => [id, 2]));
    expect(cluster.mostChanging).toBe(1);
  });

  test('as many at a time as may be', () => {
    const cluster = new FakeCluster(9, { maxUnavailable: 3 });
    cluster.end();
    expect(cluster.mostChanging).toBe(3);
  });

  test('too little traffic widens the windows, and the revision ends unproven', () => {
    const cluster = new FakeCluster(2);
    cluster.verdict = { kind: 'few' };
    cluster.until(() => cluster.state.window !== null);
    const at = cluster.now;
    cluster.until(() => cluster.state.phase === 2);
    expect(cluster.now - at).toBeGreaterThanOrEqual(4_000);
    expect(cluster.end()).toMatchObject({ outcome: 'unproven', unproven: ['canary', '100%'] });
  });

  test('where others suffer too it waits, and begins its window anew when they are well', () => {
    const cluster = new FakeCluster(3);
    cluster.until(() => cluster.state.window !== null);
    cluster.verdict = { kind: 'hold', why: 'all of them fail' };
    for (let looks = 0; looks < 100; looks++) cluster.look();
    expect(cluster.state).toMatchObject({ direction: 'forward', phase: 0, held: 'all of them fail', changed: ['S0'] });
    cluster.verdict = PASS;
    cluster.look();
    expect(cluster.state).toMatchObject({ held: null, phase: 0, window: { since: cluster.now } });
    expect(cluster.end().outcome).toBe('completed');
  });

  test('nodes that are away are left out, those that join have their turn, and none is waited for', () => {
    const cluster = new FakeCluster(3);
    cluster.set(1, { away: true, healthy: false });
    cluster.until(() => cluster.state.phase === 2);
    cluster.set(1, { away: false, healthy: false });
    expect(cluster.end().outcome).toBe('completed');
    expect(cluster.revisions()).toEqual([2, 1, 2]);
    expect(revisionFor(cluster.state, cluster.completed, 'S1')).toBe(2);
    expect(revisionFor(cluster.state, cluster.completed, 'S99')).toBe(2);
  });

  test('before its turn a node is given the last one that was completed', () => {
    const cluster = new FakeCluster(3);
    cluster.look();
    expect(['S0', 'S1', 'S99'].map((id) => revisionFor(cluster.state, 1, id))).toEqual([2, 1, 1]);
  });

  test('a canary that is not well yet is waited for', () => {
    const cluster = new FakeCluster(1);
    cluster.set(0, { healthy: false });
    for (let looks = 0; looks < 10; looks++) cluster.look();
    expect(cluster.state).toMatchObject({ phase: 0, changing: [] });
    cluster.set(0, { healthy: true });
    expect(cluster.end().outcome).toBe('completed');
  });

  test('while everything is frozen nothing begins', () => {
    const cluster = new FakeCluster(3);
    cluster.frozen = true;
    for (let looks = 0; looks < 50; looks++) cluster.look();
    expect(cluster.told).toEqual([]);
    cluster.frozen = false;
    expect(cluster.end().outcome).toBe('completed');
  });
});

describe('back', () => {
  test('a gate that fails turns back the nodes that changed, one by one, and no other', () => {
    const cluster = new FakeCluster(4);
    cluster.until(() => cluster.state.phase === 2);
    cluster.verdict = { kind: 'fail', why: '100% of 30 requests failed' };
    expect(cluster.end()).toMatchObject({ outcome: 'bad', why: '100% of 30 requests failed' });
    expect(cluster.revisions()).toEqual([1, 1, 1, 1]);
    expect(cluster.mostChanging).toBe(1);
    expect(cluster.told.filter(([id]) => id === 'S3')).toEqual([]);
  });

  test('from the failure on nobody is given it any more', () => {
    const cluster = new FakeCluster(4);
    cluster.until(() => cluster.state.phase === 2);
    cluster.verdict = { kind: 'fail', why: 'x' };
    cluster.look();
    expect(cluster.state.direction).toBe('back');
    for (const id of ['S0', 'S1', 'S3']) expect(revisionFor(cluster.state, 1, id)).toBe(1);
  });

  test.each<[string, Partial<NodeFact>, RegExp]>([
    ['refuses it', { refusal: 'routers[0]: no' }, /^node0 refuses it: routers\[0\]: no$/],
    [
      'does not answer',
      { probe: { failed: 'no answer at 10.0.0.1:4141' }, revision: 2 },
      /^node0 does not answer with it/,
    ],
    ['is not healthy in time', { healthy: false, revision: 2 }, /^node0 was not healthy with it within 5 s$/],
    ['is not seen to answer', { probe: 'unknown', revision: 2 }, /^node0 was not seen to answer/],
  ])('a canary that %s is turned back', (_what, fact, why) => {
    const cluster = new FakeCluster(2);
    const [node] = cluster.nodes;
    if (node !== undefined) node.takes = null;
    cluster.look();
    cluster.set(0, fact);
    const { outcome, why: said } = cluster.end();
    expect(outcome).toBe('bad');
    expect(said).toMatch(why);
  });

  test('one that never takes it, and one that falls ill in the window', () => {
    const deaf = new FakeCluster(2);
    for (const node of deaf.nodes) node.takes = null;
    expect(deaf.end()).toMatchObject({ outcome: 'bad', why: 'node0 did not take it within 5 s' });
    const ill = new FakeCluster(2);
    ill.until(() => ill.state.window !== null);
    ill.set(0, { healthy: false });
    expect(ill.end()).toMatchObject({ outcome: 'bad', why: 'node0 did not stay healthy with it' });
  });
});

describe('an operator', () => {
  test('has it wait, and go on', () => {
    const cluster = new FakeCluster(3);
    cluster.until(() => cluster.state.window !== null);
    cluster.step({ kind: 'pause' });
    for (let looks = 0; looks < 50; looks++) cluster.look();
    expect(cluster.state).toMatchObject({ phase: 0, paused: true });
    cluster.step({ kind: 'continue' });
    expect(cluster.end().outcome).toBe('completed');
  });

  test('a pause stops no failure', () => {
    const cluster = new FakeCluster(3);
    cluster.until(() => cluster.state.window !== null);
    cluster.step({ kind: 'pause' });
    cluster.verdict = { kind: 'fail', why: 'x' };
    expect(cluster.end().outcome).toBe('bad');
  });

  test('forces one phase, whatever the gate says, and no other', () => {
    const cluster = new FakeCluster(3);
    cluster.until(() => cluster.state.window !== null);
    cluster.verdict = { kind: 'hold', why: 'x' };
    cluster.look();
    cluster.step({ kind: 'force' });
    cluster.look();
    expect(cluster.state).toMatchObject({ phase: 1, forced: false });
  });

  test('aborts', () => {
    const cluster = new FakeCluster(3);
    cluster.until(() => cluster.state.phase === 1);
    cluster.step({ kind: 'abort' });
    expect(cluster.end()).toMatchObject({ outcome: 'aborted', why: 'an operator aborted it' });
    expect(cluster.revisions()).toEqual([1, 1, 1]);
  });
});

const anyVerdict = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Verdict>({ kind: 'pass' }) },
  { weight: 3, arbitrary: fc.constant<Verdict>({ kind: 'few' }) },
  { weight: 2, arbitrary: fc.constant<Verdict>({ kind: 'hold', why: 'others' }) },
  { weight: 1, arbitrary: fc.constant<Verdict>({ kind: 'fail', why: 'worse' }) },
);
const anyHappening = fc.oneof(
  { weight: 8, arbitrary: fc.record({ what: fc.constant('look' as const), verdict: anyVerdict }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('node' as const),
      index: fc.nat(7),
      fact: fc.record(
        {
          away: fc.boolean(),
          healthy: fc.boolean(),
          refusal: fc.option(fc.constant('no'), { freq: 6 }),
          probe: fc.constantFrom<NodeFact['probe']>('ok', 'ok', 'ok', 'unknown', { failed: 'silent' }),
        },
        { requiredKeys: [] },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('order' as const),
      order: fc.constantFrom('pause' as const, 'continue' as const, 'force' as const, 'abort' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('restart' as const) }) },
);

test('whatever happens: never more at a time than may be, nothing bad given again, and always an end', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 8 }),
      fc.record({ canary: fc.nat(3), maxUnavailable: fc.integer({ min: 1, max: 3 }) }),
      fc.array(anyHappening, { maxLength: 60 }),
      fc.array(fc.option(fc.integer({ min: 1, max: 6 }), { freq: 8 }), { minLength: 8, maxLength: 8 }),
      (count, settings, happenings, takes) => {
        const cluster = new FakeCluster(count, settings);
        for (const [index, node] of cluster.nodes.entries()) node.takes = takes[index] ?? null;
        let isBad = false;
        const check = (): void => {
          expect(cluster.state.changing.length).toBeLessThanOrEqual(settings.maxUnavailable);
          const { outcome } = cluster.state;
          // Once it is to go back it stays so.
          if (isBad) expect(['bad', 'aborted']).toContain(outcome);
          isBad ||= outcome === 'bad' || outcome === 'aborted';
          if (!isBad) return;
          for (const { fact } of cluster.nodes)
            expect(revisionFor(cluster.state, cluster.completed, fact.agentId)).toBe(1);
        };
        for (const happening of happenings) {
          const before = cluster.told.length;
          if (happening.what === 'node') cluster.set(happening.index, happening.fact);
          else if (happening.what === 'restart') cluster.state = JSON.parse(JSON.stringify(cluster.state));
          else if (happening.what === 'order') cluster.step({ kind: happening.order });
          else {
            cluster.verdict = happening.verdict;
            cluster.look();
          }
          check();
          if (isBad) for (const [, revision] of cluster.told.slice(before)) expect(revision).toBe(1);
        }
        // Let alone it comes to an end.
        if (cluster.verdict.kind === 'hold') cluster.verdict = PASS;
        if (cluster.state.direction !== 'over') cluster.step({ kind: 'continue' });
        cluster.end(1_000);
        expect(cluster.state.outcome).not.toBeNull();
        expect(cluster.state.changing).toEqual([]);
        const ended = cluster.state;
        cluster.step({ kind: 'abort' });
        cluster.look();
        expect(cluster.state).toBe(ended);
      },
    ),
    { numRuns: 100 },
  );
});
