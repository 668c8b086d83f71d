/** Traffic shifts over a state store and a table of the mesh, with a clock of the test's own. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Traffic } from '../../../../agent-proxy/control/contract.ts';
import { latencyBucket } from '../../../../agent-proxy/control/latency-scale.ts';
import { DEFAULT_NAMESPACE } from '../../../../agent-proxy/routing/table-names/namespace.ts';
import { Feed } from '../../../../scheduler/distribution/feed.ts';
import { RoutingPolicy } from '../../../../scheduler/policy/routing-policy.ts';
import { TroubledStore } from '../../support/troubled-store.ts';

const WEB = '/#/io.l5d.marathon/web';
const V2 = '/#/io.l5d.marathon/web-v2';

const opened: Lab[] = [];
afterEach(async () => {
  for (const lab of opened.splice(0)) await lab.policy.close();
});

class Lab {
  readonly store: TroubledStore;
  readonly feed = new Feed(1);
  policy!: RoutingPolicy;
  frozen = false;
  now: number;

  private constructor(store: TroubledStore, now: number) {
    this.store = store;
    this.now = now;
  }

  static async open(store = new TroubledStore(), now = 1_000_000): Promise<Lab> {
    const lab = new Lab(store, now);
    lab.app('web');
    lab.app('web-v2');
    const ignore = () => undefined;
    lab.policy = await RoutingPolicy.open({
      ...{ store, feed: lab.feed, dtabCheck: true, now: () => lab.now, frozen: () => lab.frozen },
      changed: () => lab.policy?.names.follow(lab.feed.commit()),
      conflict: ignore,
      logger: { info: ignore, warn: ignore },
    });
    lab.feed.commit();
    lab.policy.names.open();
    opened.push(lab);
    return lab;
  }

  app(name: string, instances = 1): void {
    const endpoints = Array.from({ length: instances }, (_, at) => ({
      ...{ service: name, instance: `${name}.${at}`, address: '10.0.0.1', port: 80 + at, ports: [] },
      ...{ agentId: 'S1', agentAddress: '10.0.0.1', weight: 1, state: 'ready' as const, startedAt: null, labels: {} },
    }));
    this.feed.setService({ name, endpoints });
    this.policy?.names.follow(this.feed.commit());
  }

  start(rest: object = {}) {
    const request = { service: 'web', to: 'web-v2', steps: [1, 50, 100], everyMs: 60_000, minRequests: 100, by: 'me' };
    return this.policy.shifts.start({ ...request, ...rest });
  }

  /** What the namespace says behind its first text. */
  get rule(): string {
    const text = this.policy.dtabs.get('default')?.text ?? 'gone';
    return text.startsWith(DEFAULT_NAMESPACE.dtab)
      ? text.slice(DEFAULT_NAMESPACE.dtab.length).replace(/^ ;\n/, '')
      : text;
  }

  get shift() {
    return this.policy.shifts.get('web');
  }

  traffic(service: string, requests: number, failures = 0, router: Traffic['router'] = 'outgoing'): void {
    const latency: [number, number][] = [[latencyBucket(5), requests]];
    this.policy.reported({
      traffic: [{ service, router, requests, failures, proxyErrors: 0, retries: 0, latency }],
      names: [],
    });
  }

  async after(ms: number): Promise<void> {
    this.now += ms;
    await this.policy.shifts.look();
  }

  /** A whole step with this much traffic to the target. */
  async step(requests: number, failures = 0): Promise<void> {
    await this.after(3_000);
    this.traffic('web', 5_000, 5);
    this.traffic('web-v2', requests, failures);
    await this.after(60_000);
  }
}

describe('a shift', () => {
  test('goes step by step to the end, while the target does as well as the source', async () => {
    const lab = await Lab.open();
    expect(await lab.start()).toMatchObject({ kind: 'done', shift: { state: 'running', step: 0 } });
    expect(lab.rule).toBe(`/marathonId/web => 1 * ${V2} & 99 * ${WEB}`);
    await lab.after(30_000);
    expect(lab.shift?.step).toBe(0);
    await lab.step(200);
    expect(lab.rule).toBe(`/marathonId/web => 50 * ${V2} & 50 * ${WEB}`);
    await lab.step(2_000);
    expect(lab.rule).toBe(`/marathonId/web => ${V2}`);
    expect(lab.shift?.state).toBe('running');
    await lab.step(5_000);
    expect(lab.shift).toMatchObject({ state: 'complete', unproven: [], reason: null });
    expect(lab.rule).toBe(`/marathonId/web => ${V2}`);
    expect(lab.policy.audit.newest().map(({ what }) => what)).toEqual([
      'shift of web to web-v2: 100 %',
      'shift of web to web-v2: 50 %',
      'shift of web to web-v2: 1 %',
    ]);
  });

  test('compares its last step with what the source answered before', async () => {
    const lab = await Lab.open();
    await lab.start({ steps: [50, 100] });
    await lab.after(3_000);
    lab.traffic('web', 2_000, 100);
    lab.traffic('web-v2', 2_000, 100);
    await lab.after(60_000);
    expect(lab.shift?.step).toBe(1);
    await lab.after(3_000);
    lab.traffic('web-v2', 4_000, 200);
    await lab.after(60_000);
    expect(lab.shift).toMatchObject({ state: 'complete', reason: null });
  });

  test('to a target that fails turns back by itself, at once, with the numbers', async () => {
    const lab = await Lab.open();
    await lab.start();
    await lab.after(3_000);
    lab.traffic('web', 1_000, 1);
    lab.traffic('web-v2', 10, 10);
    await lab.after(500);
    expect(lab.shift).toMatchObject({
      state: 'turned-back',
      reason: '10 of 10 requests to web-v2 failed (100 %), and 0.1 % of 1000 to web',
    });
    expect(lab.rule).toBe('');
  });

  test('sees failures that a retry at the source hides, by the target’s own nodes', async () => {
    const lab = await Lab.open();
    await lab.start();
    await lab.after(3_000);
    lab.traffic('web', 1_000, 1);
    lab.traffic('web-v2', 30, 30, 'incoming');
    await lab.after(500);
    expect(lab.shift?.state).toBe('turned-back');
  });

  test('turns back when its target has no instance any more', async () => {
    const lab = await Lab.open();
    await lab.start();
    lab.app('web-v2', 0);
    await lab.after(500);
    expect(lab.shift).toMatchObject({ state: 'turned-back', reason: 'web-v2 has no instance that takes requests' });
    expect(lab.rule).toBe('');
  });

  test('waits twice as long for traffic, and goes on unproven then', async () => {
    const lab = await Lab.open();
    await lab.start();
    await lab.step(10);
    expect(lab.shift?.step).toBe(0);
    await lab.after(60_000);
    expect(lab.shift).toMatchObject({ step: 1, unproven: [1] });
  });

  test('stands still while it is paused, or the mesh is frozen; but turns back', async () => {
    const lab = await Lab.open();
    await lab.start();
    await lab.policy.shifts.command('web', 'pause');
    await lab.step(200);
    await lab.after(600_000);
    expect(lab.shift).toMatchObject({ state: 'paused', step: 0 });
    await lab.policy.shifts.command('web', 'continue');
    lab.frozen = true;
    await lab.after(600_000);
    expect(lab.shift).toMatchObject({ state: 'running', step: 0 });
    lab.traffic('web-v2', 100, 100);
    await lab.after(500);
    expect(lab.shift?.state).toBe('turned-back');
  });

  test('is ended by an operator, and the rule with it', async () => {
    const lab = await Lab.open();
    await lab.start();
    expect(await lab.policy.shifts.command('web', 'abort')).toMatchObject({
      kind: 'done',
      shift: { state: 'aborted' },
    });
    expect(lab.rule).toBe('');
    expect(await lab.policy.shifts.command('web', 'pause')).toMatchObject({ kind: 'refused' });
    expect(await lab.policy.shifts.command('gen', 'abort')).toMatchObject({ kind: 'missing' });
  });

  test('begins where the last one left it, and may lead back', async () => {
    const lab = await Lab.open();
    lab.app('web-v3');
    await lab.start({ steps: [100] });
    await lab.step(200);
    expect(lab.shift?.state).toBe('complete');
    expect(await lab.start()).toMatchObject({ kind: 'refused', why: 'requests to web go to web-v2 already' });
    await lab.start({ to: 'web-v3' });
    expect(lab.rule).toBe('/marathonId/web => 1 * /#/io.l5d.marathon/web-v3 & 99 * /#/io.l5d.marathon/web-v2');
    await lab.policy.shifts.command('web', 'abort');
    expect(lab.rule).toBe(`/marathonId/web => ${V2}`);
    await lab.start({ to: 'web', steps: [100] });
    expect(lab.rule).toBe('');
  });
});

describe('a shift is refused', () => {
  const put = (lab: Lab, text: string) =>
    lab.policy.write('default', { text, condition: { kind: 'any' }, by: 'me', what: 'written', force: true });

  test('where another is at work, where the target has no instance, and where somebody has written the rule', async () => {
    const lab = await Lab.open();
    expect(await lab.start({ to: 'nobody' })).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('nobody has no instance'),
    });
    await put(lab, `${DEFAULT_NAMESPACE.dtab} ; /marathonId/web => ${V2}`);
    expect(await lab.start()).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('has a rule for /marathonId/web already'),
    });
    await put(lab, DEFAULT_NAMESPACE.dtab);
    expect(await lab.start()).toMatchObject({ kind: 'done' });
    expect(await lab.start()).toMatchObject({ kind: 'refused', why: 'a shift of web is at work already' });
  });

  test('and leaves the rule alone, once somebody else has written it', async () => {
    const lab = await Lab.open();
    await lab.start();
    await put(lab, DEFAULT_NAMESPACE.dtab);
    await lab.step(200);
    expect(lab.shift).toMatchObject({ state: 'broken', reason: expect.stringContaining('changed by somebody else') });
    expect(lab.rule).toBe('');
    await lab.after(600_000);
    expect(lab.rule).toBe('');
  });
});

describe('a scheduler that starts anew', () => {
  test('goes on with the step, whose time begins again', async () => {
    const first = await Lab.open();
    await first.start();
    await first.step(200);
    await first.policy.close();
    const second = await Lab.open(first.store, first.now + 1_000);
    expect(second.shift).toMatchObject({ state: 'running', step: 1 });
    await second.after(50_000);
    expect(second.shift?.step).toBe(1);
    await second.step(2_000);
    expect(second.rule).toBe(`/marathonId/web => ${V2}`);
  });

  test('makes the rule so that the one before had decided and not written', async () => {
    const first = await Lab.open();
    await first.start();
    await first.after(3_000);
    first.traffic('web-v2', 100, 100);
    first.store.failAfter = 1;
    await expect(first.after(500)).rejects.toThrow('no quorum');
    expect(first.rule).not.toBe('');
    await first.policy.close();
    first.store.failAfter = null;
    const second = await Lab.open(first.store, first.now);
    expect(second.shift?.state).toBe('turned-back');
    await second.after(500);
    expect(second.rule).toBe('');
    // What somebody writes later is theirs.
    await second.policy.write('default', {
      ...{ text: `${DEFAULT_NAMESPACE.dtab} ; /marathonId/web => 1 * ${V2} & 99 * ${WEB}`, by: 'me', what: 'by hand' },
      ...{ condition: { kind: 'any' }, force: true },
    });
    await second.after(600_000);
    expect(second.rule).not.toBe('');
  });
});
