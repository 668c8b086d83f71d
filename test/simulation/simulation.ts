/** One seed, from beginning to end: a bad time, the healing, and at the end of some an uninstall. */
import { notHealed } from './checks/healed.ts';
import { Violation } from './context.ts';
import { heal, strike } from './faults.ts';
import { giveOrder, leaveBehind, settle } from './operator.ts';
import type { Tally } from './tally.ts';
import { type Options, World } from './world.ts';

const LEAST_STEPS = 1_000;
/** A bad time that never brings so many steps is long enough all the same. */
const LONGEST_BAD_TIME_MS = 3 * 3_600_000;
const LOOK_EVERY_MS = 30_000;
const HEALED_WITHIN_MS = 2 * 3_600_000;

export interface Result {
  readonly seed: number;
  readonly tally: Tally;
  readonly steps: number;
  readonly agents: number;
  /** The same for the same seed. */
  readonly hash: string;
  /** Null: everything held. */
  readonly violation: { readonly what: string; readonly lines: readonly string[] } | null;
}

export function simulate(options: Options): Result {
  const world = new World(options);
  const { context } = world;
  let violation: Result['violation'] = null;
  let steps = 0;
  try {
    badTime(world);
    steps = world.steps;
    healing(world);
    if (context.rng.chance(0.3)) uninstalling(world);
  } catch (error) {
    const isFinding = error instanceof Violation;
    const what = isFinding ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    violation = { what, lines: context.lastLines() };
  }
  const { seed } = options;
  return { seed, tally: context.tally, steps, agents: world.machines.length, hash: context.hash, violation };
}

/** Something goes wrong every few seconds, and now and then there is time to recover. */
function badTime(world: World): void {
  const { context } = world;
  const { clock, rng } = context;
  const end = context.now + LONGEST_BAD_TIME_MS;
  let isOver = false;
  const trouble = () => {
    if (isOver) return;
    strike(world);
    clock.after(rng.chance(0.05) ? rng.between(60_000, 300_000) : rng.between(200, 15_000), trouble);
  };
  const orders = () => {
    if (isOver) return;
    giveOrder(world);
    clock.after(rng.between(5_000, 90_000), orders);
  };
  // The first cover comes before the first trouble, in most seeds.
  clock.after(rng.between(0, 30_000), trouble);
  clock.after(rng.between(20_000, 60_000), orders);
  while (world.steps < LEAST_STEPS && clock.next(end));
  isOver = true;
}

function healing(world: World): void {
  const { context } = world;
  context.note('the faults stop');
  heal(world);
  const end = context.now + HEALED_WITHIN_MS;
  let found: string[] = [];
  let isWellSince: number | null = null;
  let hasJoined = false;
  while (context.now < end) {
    run(world, LOOK_EVERY_MS);
    settle(world);
    found = notHealed(world.master, world.leader, world.store, world.settings, world.mayList);
    isWellSince = found.length === 0 ? (isWellSince ?? context.now) : null;
    if (isWellSince !== null && !hasJoined) {
      // Everything is covered and quiet: an agent that comes now must not be overlooked.
      world.addMachine();
      hasJoined = true;
      isWellSince = null;
    }
    if (isWellSince !== null && context.now - isWellSince >= 3 * LOOK_EVERY_MS) return;
  }
  throw new Violation(found.join('\n'));
}

function uninstalling(world: World): void {
  const { context } = world;
  context.note('uninstall');
  world.uninstall = true;
  // The first half of it in a bad time again.
  context.faulty = context.rng.chance(0.5);
  world.leader?.end('stopped to uninstall');
  for (let round = 0; context.faulty && round < 20 && !world.isUninstalled; round += 1) {
    strike(world);
    run(world, context.rng.between(500, 10_000));
  }
  heal(world);
  const end = context.now + HEALED_WITHIN_MS;
  const patience = context.now + HEALED_WITHIN_MS / 2;
  while (!world.isUninstalled && context.now < end) {
    run(world, LOOK_EVERY_MS);
    // An agent that is gone while something of it is held: whether it comes back, only the operator can know.
    if (context.now > patience) leaveBehind(world);
  }
  run(world, LOOK_EVERY_MS);
  const left = world.agents.flatMap((agent) => {
    const { ours } = agent.total;
    // One that was away then comes back with what it had, and there is no framework any more that could give it back.
    const wasThere = world.master.presentAtTheEnd.has(agent.id) && !agent.owesRelease;
    const holds = wasThere && (ours.cpus > 0 || ours.ports > 0) ? [`${agent.id} still has reservations`] : [];
    return [...agent.live.map((task) => `${task.taskId} lives`), ...holds];
  });
  if (!world.isUninstalled) throw new Violation(`2: the uninstall never ends: ${JSON.stringify(unclean(world))}`);
  if (!world.master.isRemoved) throw new Violation('2: uninstalled without a TEARDOWN');
  if (left.length > 0) throw new Violation(`2: uninstalled, and ${left.join(', ')}`);
}

function unclean(world: World): unknown {
  const { leader } = world;
  if (leader === null) return 'no leader';
  return [...leader.state.unclean].map((id) => {
    const node = leader.state.nodes.get(id);
    return { id, task: node?.task?.phase, reserved: node?.reserved, listing: node?.listing, strays: node?.strays.size };
  });
}

function run(world: World, ms: number): void {
  const { clock } = world.context;
  const end = clock.now + ms;
  while (clock.next(end));
}
