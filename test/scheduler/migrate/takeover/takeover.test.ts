/** The plan of a takeover: its moves one by one, and that it holds what it promises whatever happens in between. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runTakeover, type TakeoverWorld } from '../../../../scheduler/cli/takeover-run.ts';
import { nextBack } from '../../../../scheduler/migrate/takeover/back.ts';
import { nextForward } from '../../../../scheduler/migrate/takeover/forward.ts';
import { judgeTraffic } from '../../../../scheduler/migrate/takeover/traffic.ts';
import { GIVEN_BACK, type LinkerdTask, type MeshNode, type Move } from '../../../../scheduler/migrate/takeover/view.ts';
import { Model } from './model.ts';

const OPTIONS = { only: null, most: null, checked: new Set<string>(), windowMs: 10_000, patienceMs: 15_000 };

const node = (name: string, rest: Partial<MeshNode> = {}): MeshNode => ({
  ...{ agentId: name, hostname: `${name}.example`, isPublic: false, state: 'pending', stateForMs: 60_000 },
  ...{ reason: 'port 4140 is taken', hasTask: false, heldOut: null },
  ...rest,
});
const healthy = (name: string, rest: Partial<MeshNode> = {}) =>
  node(name, { state: 'healthy', reason: null, hasTask: true, ...rest });
const linkerd = (agentId: string | null, rest: Partial<LinkerdTask> = {}): LinkerdTask => ({
  ...{ taskId: `linkerd.${agentId}`, agentId, state: 'TASK_RUNNING', healthy: true, isCurrent: true },
  ...rest,
});

interface Scene {
  nodes: MeshNode[];
  tasks: LinkerdTask[];
  instances?: number;
  deploying?: boolean;
  placelessForMs?: number;
}

const viewOf = ({ nodes, tasks, instances = tasks.length, deploying = false, placelessForMs = 0 }: Scene) => ({
  ...{ nodes, placelessForMs },
  app: { appId: '/linkerd', instances, deploying, tasks },
});

/** In short: what is done, and where. */
const short = (move: Move): string => {
  if (move.kind === 'done') return `done ${move.taken} ${move.left.map(({ hostname }) => hostname).join(' ')}`.trim();
  if (move.kind === 'scale') return `scale ${move.instances}${move.force ? ' by force' : ''}`;
  return `${move.kind} ${move.node?.agentId ?? 'Marathon'}`;
};

const forward = (scene: Scene, options: Partial<Parameters<typeof nextForward>[1]> = {}) =>
  short(nextForward(viewOf(scene), { ...OPTIONS, ...options }));
const back = (scene: Scene, ...agents: string[]) => short(nextBack(viewOf(scene), agents));

describe('forward', () => {
  const [a, b] = [node('a'), node('b')];
  const both = [linkerd('a'), linkerd('b')];

  it.each<[string, Scene, string]>([
    ['a node with linkerd is begun', { nodes: [a, b], tasks: both }, 'scale-down a'],
    ['a public one comes last', { nodes: [node('a', { isPublic: true }), b], tasks: both }, 'scale-down b'],
    [
      'a task that is about to end is waited for',
      { nodes: [a, b], tasks: [linkerd('a', { state: 'TASK_KILLING' }), linkerd('b')], instances: 1 },
      'wait Marathon',
    ],
    ['no other is begun before the proxy runs', { nodes: [a, b], tasks: [linkerd('b')] }, 'wait a'],
    [
      'nor while it is ill',
      { nodes: [node('a', { state: 'unhealthy', hasTask: true }), b], tasks: [linkerd('b')] },
      'wait a',
    ],
    [
      'nor while it is healthy for less than the window',
      { nodes: [healthy('a', { stateForMs: 9_000 }), b], tasks: [linkerd('b')] },
      'wait a',
    ],
    ['then it is checked', { nodes: [healthy('a'), b], tasks: [linkerd('b')] }, 'check a'],
    [
      'an agent that is away is left with linkerd',
      { nodes: [node('a', { state: 'lost' }), node('b', { state: 'draining' })], tasks: both },
      'done 0 a.example b.example',
    ],
    [
      'so is one that the placement leaves out, and one that an operator does',
      { nodes: [node('a', { state: 'excluded' }), node('b', { state: 'excluded', heldOut: 'no' })], tasks: both },
      'done 0 a.example b.example',
    ],
    ['and one that the scheduler does not know', { nodes: [], tasks: [linkerd('x')] }, 'done 0 x'],
    [
      'one that was given back is taken in again first',
      { nodes: [node('a', { state: 'excluded', heldOut: GIVEN_BACK })], tasks: [linkerd('a')] },
      'include a',
    ],
    [
      'at once where linkerd is not there either',
      { nodes: [node('a', { state: 'excluded', heldOut: GIVEN_BACK }), b], tasks: [linkerd('b')] },
      'include a',
    ],
    [
      'a node without linkerd that the placement leaves out does not matter',
      { nodes: [node('a', { state: 'excluded' }), b], tasks: [linkerd('b')] },
      'scale-down b',
    ],
    ['instances without a place are waited for', { nodes: [a, b], tasks: both, instances: 3 }, 'wait Marathon'],
    [
      'then given up, as they would take the place',
      { nodes: [a, b], tasks: both, instances: 3, placelessForMs: 15_000 },
      'scale 2',
    ],
    [
      'by force where a deployment waits for them',
      {
        nodes: [a, b],
        tasks: [...both, linkerd(null, { state: 'TASK_STAGING' })],
        instances: 3,
        deploying: true,
        placelessForMs: 15_000,
      },
      'scale 2 by force',
    ],
    [
      'not while another version comes',
      {
        nodes: [a, b],
        tasks: [linkerd('a'), linkerd('b', { isCurrent: false })],
        instances: 3,
        deploying: true,
        placelessForMs: 99_000,
      },
      'wait Marathon',
    ],
    ['a deployment is waited for', { nodes: [a, b], tasks: both, deploying: true }, 'wait Marathon'],
    [
      'on other ports both may be there, and linkerd goes',
      { nodes: [healthy('a')], tasks: [linkerd('a')] },
      'scale-down a',
    ],
  ])('%s', (_what, scene, move) => {
    expect(forward(scene)).toBe(move);
  });

  it('of several nodes those that are named, and as many as are wanted', () => {
    const scene = { nodes: [a, b], tasks: both };
    expect(forward(scene, { only: new Set(['b']) })).toBe('scale-down b');
    expect(forward(scene, { most: 0 })).toBe('done 0 a.example b.example');
    expect(forward({ nodes: [healthy('a'), b], tasks: [linkerd('b')] }, { checked: new Set(['a']), most: 1 })).toBe(
      'scale-down b',
    );
    // What is not named does not hold it up.
    expect(forward({ nodes: [a, b], tasks: [linkerd('b')] }, { only: new Set(['b']) })).toBe('scale-down b');
  });
});

describe('back', () => {
  const out = (rest: Partial<MeshNode> = {}) => node('a', { state: 'excluded', heldOut: GIVEN_BACK, ...rest });
  it.each<[string, Scene, string]>([
    ['the proxy goes first', { nodes: [healthy('a')], tasks: [] }, 'exclude a'],
    ['it is waited for', { nodes: [out({ hasTask: true })], tasks: [] }, 'wait a'],
    ['then linkerd gets an instance', { nodes: [out()], tasks: [linkerd('b')] }, 'scale 2'],
    ['only one', { nodes: [out()], tasks: [linkerd('b')], instances: 2 }, 'wait a'],
    ['which has to run', { nodes: [out()], tasks: [linkerd('a', { state: 'TASK_STAGING' })] }, 'wait a'],
    ['and be well', { nodes: [out()], tasks: [linkerd('a', { healthy: false })] }, 'wait a'],
    ['that is all', { nodes: [out()], tasks: [linkerd('a')] }, 'done 1'],
    ['a node that was never begun is kept out too', { nodes: [node('a')], tasks: [linkerd('a')] }, 'exclude a'],
  ])('%s', (_what, scene, move) => {
    expect(back(scene, 'a')).toBe(move);
  });
});

/** Runs until it is done, or is killed after so many looks. */
function worldOf(
  model: Model,
  chance: <T>(some: readonly T[]) => T | undefined,
  options: { crashes: boolean; looks: number },
): TakeoverWorld {
  let looks = 0;
  return {
    look: async () => {
      looks += 1;
      if (looks > options.looks) throw new Error('killed');
      return model.look();
    },
    perform: async (move) => model.perform(move),
    check: async () => ({ isWell: true, saw: 'it' }),
    say: () => undefined,
    now: () => model.now,
    pause: async () => model.tick(chance, options),
  };
}

const LIMITS = { timeoutMs: 100_000_000, checkMs: 1_000 };
const goForward = (world: TakeoverWorld, checked = OPTIONS) =>
  runTakeover(world, { decide: (view, seen) => nextForward(view, { ...checked, checked: seen }), ...LIMITS });
const goBack = (world: TakeoverWorld, agents: readonly string[]) =>
  runTakeover(world, { decide: (view) => nextBack(view, agents), ...LIMITS });

describe('whatever happens in between', () => {
  const chanceOf =
    (random: () => number) =>
    <T>(some: readonly T[]): T | undefined =>
      some[Math.floor(random() * some.length)];
  const scene = fc.record({
    agents: fc.integer({ min: 1, max: 6 }),
    surplus: fc.integer({ min: -2, max: 2 }),
    seed: fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
    looks: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 6 }),
  });
  const randomOf = (stream: Iterator<number>) => () => stream.next().value as number;

  it('every node goes over, one at a time, however often it is killed and begun again; and all go back', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async ({ agents, surplus, seed, looks }) => {
        const model = new Model(agents, Math.max(0, agents + surplus));
        const chance = chanceOf(randomOf(seed[Symbol.iterator]()));
        for (const some of looks) {
          await goForward(worldOf(model, chance, { crashes: false, looks: some })).catch(() => undefined);
        }
        await goForward(worldOf(model, chance, { crashes: false, looks: 100_000 }));
        expect(model.agents.map(({ proxy }) => proxy?.state)).toEqual(model.agents.map(() => 'healthy'));
        expect(model).toMatchObject({ instances: 0, tasks: [] });
        expect(model.mostBare).toBeLessThanOrEqual(1);
        // Nobody was scaled down twice for one task.
        expect(new Set(model.scaledDown).size).toBe(model.scaledDown.length);

        const all = model.agents.map(({ id }) => id);
        for (const some of looks) {
          await goBack(worldOf(model, chance, { crashes: false, looks: some }), all).catch(() => undefined);
        }
        await goBack(worldOf(model, chance, { crashes: false, looks: 100_000 }), all);
        expect(model.agents.every(({ proxy }) => proxy === null)).toBe(true);
        expect(model.instances).toBe(agents);
        expect(model.tasks.map(({ agentId }) => agentId).sort()).toEqual([...all].sort());
      }),
      { numRuns: 40 },
    );
  });

  it('linkerds that die meanwhile change nothing of that but the order', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async ({ agents, seed }) => {
        const model = new Model(agents, agents);
        await goForward(worldOf(model, chanceOf(randomOf(seed[Symbol.iterator]())), { crashes: true, looks: 100_000 }));
        expect(model.covered).toBe(true);
        expect(model).toMatchObject({ instances: 0, tasks: [] });
      }),
      { numRuns: 20 },
    );
  });

  it('a proxy that does not get well stops it there, and only there', async () => {
    const model = new Model(4, 4);
    model.curse('a2', true);
    const random = chanceOf(Math.random);
    const world = worldOf(model, random, { crashes: false, looks: 100_000 });
    const decide = (view: Parameters<typeof nextForward>[0], checked: ReadonlySet<string>) =>
      nextForward(view, { ...OPTIONS, checked });
    await expect(runTakeover(world, { decide, timeoutMs: 60_000, checkMs: 1_000 })).rejects.toThrow(
      /^stopped at a2\.example: unhealthy for 60 s\. Run it again to go on, or give the node back: nodemesh migrate give-back a2\.example$/,
    );
    expect(model.scaledDown).toEqual(['a1', 'a2']);
    await goBack(world, ['a2']);
    expect(model.tasks.map(({ agentId }) => agentId).sort()).toEqual(['a0', 'a2', 'a3']);
    expect(model.covered).toBe(true);
  });
});

it('a check that fails is repeated, and then stops it', async () => {
  const model = new Model(1, 0);
  const world = worldOf(model, (some) => some[0], { crashes: false, looks: 1_000 });
  const answers = [false, false, true];
  const decide = (view: Parameters<typeof nextForward>[0], checked: ReadonlySet<string>) =>
    nextForward(view, { ...OPTIONS, checked });
  const check = async () => ({ isWell: answers.shift() ?? false, saw: 'a listener is silent' });
  await expect(runTakeover({ ...world, check }, { decide, timeoutMs: 60_000, checkMs: 5_000 })).resolves.toMatchObject({
    taken: 1,
  });
  await expect(runTakeover({ ...world, check }, { decide, timeoutMs: 60_000, checkMs: 5_000 })).rejects.toThrow(
    /^stopped at a0\.example: a listener is silent\./,
  );
});

describe('traffic', () => {
  const of = (rps: number, successRate: number | null, agentId = 'b') => ({ agentId, rps, successRate });
  const judged = (...traffic: Parameters<typeof judgeTraffic>[1][number][]) =>
    judgeTraffic('a', traffic, 10_000, 0.05).kind;
  it.each<[string, string]>([
    ['too-little', judged(of(1.9, 0, 'a'))],
    ['well', judged(of(100, 1, 'a'))],
    ['ill', judged(of(100, 0.9, 'a'))],
    ['well', judged(of(100, 0.9, 'a'), of(100, 0.9))],
    ['ill', judged(of(100, 0.8, 'a'), of(100, 0.9))],
    ['too-little', judged()],
  ])('%s', (expected, verdict) => {
    expect(verdict).toBe(expected);
  });
});
