/** A rollout of a version is judged by the traffic that proxies report, and by real probes of their listeners. */
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentId, JudgedRollout, Judgement } from '../../../framework/index.ts';
import type { ConfiguredNode } from '../../../scheduler/policy/configured-node.ts';
import { probedNode } from '../../../scheduler/policy/listener-probe.ts';
import { TrafficHistory } from '../../../scheduler/policy/traffic-history.ts';
import { VersionGate } from '../../../scheduler/policy/version-gate.ts';
import { eventually } from '../../fixtures/eventually.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const SETTINGS = { windowMs: 12_000, minRequests: 100, stepTimeoutMs: 60_000 };
const GOAL = { id: 'v2', relaunchKey: 'k' };
const id = (name: string): AgentId => name as AgentId;

let server: Server;
let port = 0;
beforeEach(async () => {
  server = createServer((_request, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
let gate: VersionGate | null = null;
afterEach(async () => {
  await gate?.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

interface Traffic {
  readonly requests: number;
  readonly failures?: number;
}

/** Three private nodes with traffic, of which one is the scheduler's own. */
class Scene {
  now = 1_000_000;
  rollout: JudgedRollout | null = null;
  isBusy = false;
  readonly said: Judgement[] = [];
  readonly history = new TrafficHistory();
  readonly gate: VersionGate;
  nodes: ConfiguredNode[] = ['own', 'busy', 'calm'].map((agentId) => ({
    ...{ agentId, hostname: `${agentId}.example`, ip: '127.0.0.1', isPublic: false, hasEdge: false, isInner: false },
    ...{ isOwn: agentId === 'own', away: false, healthy: true, revision: 1, goal: 'v1', refusal: null },
  }));

  constructor() {
    this.gate = new VersionGate({
      history: this.history,
      ports: { out: port, in: port, admin: port, edge: null },
      settings: SETTINGS,
      logger: quiet,
      framework: () => ({
        judgedRollout: () => this.rollout,
        judge: (_rollout, judgement) => {
          this.said.push(judgement);
          if (judgement.kind === 'begin') this.change({ isOrdered: true });
        },
      }),
      nodes: () => this.nodes,
      isBusy: () => this.isBusy,
      now: () => this.now,
    });
    gate = this.gate;
  }

  begin(): void {
    this.rollout = {
      ...{ id: 'r', goal: GOAL, phase: 0, isLastPhase: false, isOrdered: false },
      ...{ isFull: false, hasPassed: false, changing: [], changed: [], earlier: [] },
    };
  }

  change(change: Partial<JudgedRollout>): void {
    if (this.rollout !== null) this.rollout = { ...this.rollout, ...change };
  }

  /** So many seconds, in each of which the proxies report and the gate looks. */
  pass(seconds: number, traffic: Readonly<Record<string, Traffic>>): void {
    for (let second = 0; second < seconds; second += 1) {
      this.now += 1_000;
      for (const [agentId, { requests, failures = 0 }] of Object.entries(traffic)) {
        const row = { service: 'web', router: 'outgoing' as const, requests, failures, proxyErrors: 0 };
        this.history.add({ agentId: id(agentId), windowMs: 1_000, traffic: [row as never] }, this.now);
      }
      this.gate.look();
    }
  }

  /** The node runs the new version, and its listeners have answered. */
  async runs(agentId: string): Promise<void> {
    this.change({ changing: [id(agentId)] });
    this.gate.look();
    this.nodes = this.nodes.map((node) => (node.agentId === agentId ? { ...node, goal: GOAL.id } : node));
    this.change({ changing: [], changed: [id(agentId)], isFull: true });
  }
}

const TRAFFIC = { own: { requests: 100 }, busy: { requests: 80 }, calm: { requests: 20 } };

/** As far as the canary, whose window has begun. */
async function withCanary(): Promise<Scene> {
  const scene = new Scene();
  scene.pass(20, TRAFFIC);
  scene.begin();
  scene.pass(14, TRAFFIC);
  await scene.runs('busy');
  return scene;
}

test('the node with the most traffic comes first, and the own one last', () => {
  const scene = new Scene();
  scene.begin();
  scene.pass(5, TRAFFIC);
  expect(scene.said).toEqual([]);
  scene.pass(10, TRAFFIC);
  expect(scene.said).toEqual([{ kind: 'begin', order: ['busy', 'calm', 'own'] }]);
});

test('while a configuration goes out it does not begin', () => {
  const scene = new Scene();
  scene.isBusy = true;
  scene.begin();
  scene.pass(60, TRAFFIC);
  expect(scene.said).toEqual([]);
  scene.isBusy = false;
  scene.pass(1, TRAFFIC);
  expect(scene.said).toHaveLength(1);
});

test('a version that does no harm passes', async () => {
  const scene = await withCanary();
  await eventually('it passes', () => {
    scene.pass(1, TRAFFIC);
    return scene.said.some(({ kind }) => kind === 'pass');
  });
  expect(scene.said.at(-1)).toEqual({ kind: 'pass', proven: true });
});

test('one under which requests fail does not, and the sentence has the figures', async () => {
  const scene = await withCanary();
  scene.pass(4, { ...TRAFFIC, busy: { requests: 80, failures: 40 } });
  expect(scene.said.at(-1)).toMatchObject({ kind: 'fail', why: expect.stringMatching(/on busy\.example$/) });
});

test('one under which a listener is gone does not', async () => {
  const scene = new Scene();
  scene.begin();
  scene.pass(13, TRAFFIC);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await scene.runs('busy');
  await eventually('a probe has failed three times', () => {
    scene.pass(1, TRAFFIC);
    return scene.said.some(({ kind }) => kind === 'fail');
  });
  expect(scene.said.at(-1)).toMatchObject({ why: expect.stringContaining(`no answer at 127.0.0.1:${port}`) });
});

test('of a public node that serves the outside at its edge alone only that, and its control endpoint, are asked', () => {
  const node = { agentId: 'a', ip: '10.0.0.1', hasEdge: true };
  const ports = { out: 1, in: 2, admin: 3, edge: 4 };
  expect(probedNode({ ...node, isInner: true }, ports).ports).toEqual([3, 4]);
  expect(probedNode({ ...node, isInner: false }, ports).ports).toEqual([1, 2, 3, 4]);
});
