/** What goes wrong, how often, and how it is undone. */
import type { Agent } from './model/agent.ts';
import type { AgentEntry } from './model/entry.ts';
import type { Machine } from './model/machine.ts';
import { type Pools, portBit } from './model/pools.ts';
import type { Scheduler } from './model/scheduler.ts';
import type { World } from './world.ts';

interface Fault {
  readonly name: string;
  readonly weight: number;
  /** What it is about; null when it cannot happen now. */
  do(world: World): string | null;
}

export const FAULTS: readonly Fault[] = [
  { name: 'task fails', weight: 8, do: (world) => taskFails(world) },
  { name: 'proxy hangs', weight: 4, do: (world) => onProxy(world, (one) => one.hang()) },
  { name: 'proxy unwell for a while', weight: 4, do: (world) => unwell(world) },
  { name: 'agent cut off', weight: 7, do: (world) => loseAgent(world, 'isCut') },
  { name: 'agent hangs', weight: 5, do: (world) => loseAgent(world, 'isHung') },
  { name: 'agent restarts', weight: 5, do: (world) => loseAgent(world, 'isUp') },
  { name: 'agent reboots', weight: 4, do: (world) => reboot(world, false) },
  { name: 'agent reboots with a new id', weight: 2, do: (world) => reboot(world, true) },
  { name: 'agent shut down', weight: 2, do: (world) => shutDown(world) },
  { name: 'agent joins', weight: 2, do: (world) => join(world) },
  { name: 'agent marked gone', weight: 2, do: (world) => markGone(world) },
  { name: 'agent forgotten by the registry', weight: 3, do: (world) => forget(world) },
  { name: 'agent drained', weight: 3, do: (world) => drain(world, true) },
  { name: 'agent deactivated', weight: 2, do: (world) => drain(world, false) },
  { name: 'attributes change', weight: 3, do: (world) => attributes(world) },
  { name: 'maintenance', weight: 3, do: (world) => maintenance(world) },
  { name: 'control streams cut', weight: 5, do: (world) => cutControl(world) },
  { name: 'resources grabbed', weight: 6, do: (world) => grab(world) },
  { name: 'offers rescinded', weight: 3, do: (world) => rescind(world) },
  { name: 'master fails over', weight: 4, do: (world) => failOver(world) },
  { name: 'subscription broken', weight: 5, do: (world) => disconnect(world) },
  { name: 'stream of agents broken', weight: 3, do: (world) => breakWatch(world) },
  { name: 'scheduler killed', weight: 5, do: (world) => onLeader(world, (one) => one.end('killed')) },
  { name: 'scheduler paused', weight: 3, do: (world) => pause(world) },
  { name: 'lease lost', weight: 2, do: (world) => onLeader(world, (one) => world.expire(one)) },
  { name: 'store down', weight: 2, do: (world) => storeDown(world) },
  { name: 'record written by another', weight: 1, do: (world) => foreignWrite(world) },
];

const TOTAL = FAULTS.reduce((sum, { weight }) => sum + weight, 0);

/** One fault, or none when it cannot happen now. */
export function strike(world: World): void {
  let left = world.context.rng.next() * TOTAL;
  for (const fault of FAULTS) {
    left -= fault.weight;
    if (left > 0) continue;
    const about = fault.do(world);
    if (about !== null) world.context.fault(fault.name, about);
    return;
  }
}

/** Everything that can be mended is mended, and nothing goes wrong any more. */
export function heal(world: World): void {
  world.context.faulty = false;
  world.store.isDown = false;
  for (const machine of world.machines) {
    machine.isControlCut = false;
    machine.others = { cpus: 0, mem: 0, disk: 0, ports: 0 };
    machine.maintenance = null;
    machine.agent?.recover();
  }
  for (const entry of [...world.master.agents.values()]) {
    // Nobody else will ever say what became of it.
    if (entry.agent.isOver) {
      world.master.markGone(entry);
      continue;
    }
    world.master.reactivate(entry);
    for (const { proxy } of entry.agent.live) proxy?.setWell(true);
  }
  // Of more than one that is dead the scheduler takes none for it: somebody has to look, and ends the processes.
  const hung = world.agents.flatMap((agent) => agent.live.filter((task) => task.proxy?.isHung === true));
  for (const task of hung.slice(1)) task.end('TASK_FAILED', undefined);
  world.master.scheduleChanged();
}

function anyAgent(world: World): Agent | null {
  const { agents } = world;
  return agents.length === 0 ? null : world.context.rng.pick(agents);
}

function anyEntry(world: World, state: AgentEntry['state']): AgentEntry | null {
  const entries = [...world.master.agents.values()].filter((entry) => entry.state === state && !entry.agent.isOver);
  return entries.length === 0 ? null : world.context.rng.pick(entries);
}

function taskFails(world: World): string | null {
  const task = anyAgent(world)?.live[0];
  if (task === undefined) return null;
  task.end('TASK_FAILED', undefined);
  return task.taskId;
}

function onProxy(world: World, hit: (proxy: NonNullable<Agent['live'][number]['proxy']>) => void): string | null {
  const proxy = anyAgent(world)?.live[0]?.proxy;
  if (proxy === undefined || proxy === null || proxy.isHung) return null;
  hit(proxy);
  return proxy.taskId;
}

function unwell(world: World): string | null {
  const { clock, rng } = world.context;
  return onProxy(world, (proxy) => {
    if (!proxy.isWell) return;
    proxy.setWell(false);
    clock.after(rng.between(1_000, 60_000), () => proxy.setWell(true));
  });
}

/** Mostly for less than the ping timeout of 75 s. */
function anyAbsence(world: World): number {
  const { rng } = world.context;
  return rng.chance(0.6) ? rng.between(1_000, 70_000) : rng.between(70_000, 400_000);
}

function loseAgent(world: World, how: 'isUp' | 'isHung' | 'isCut'): string | null {
  const agent = anyAgent(world);
  if (agent === null || !agent.isReachable) return null;
  agent.lose(how);
  const alsoControl = how === 'isCut' && world.context.rng.chance(0.5);
  if (alsoControl) cut(agent.machine);
  world.master.watch(agent);
  world.context.clock.after(anyAbsence(world), () => {
    if (alsoControl) agent.machine.isControlCut = false;
    agent.recover();
  });
  return agent.id;
}

function reboot(world: World, newId: boolean): string | null {
  const agent = anyAgent(world);
  if (agent === null || !agent.isReachable) return null;
  if (!newId) {
    agent.reboot();
    world.master.watch(agent);
    world.context.clock.after(anyAbsence(world), () => agent.recover());
    return agent.id;
  }
  // What is reserved is on the disk, apart from the id.
  const { total } = agent;
  agent.lose('isUp');
  world.master.watch(agent);
  agent.shutDown();
  replace(world, agent, total);
  return agent.id;
}

/** Another agent registers from the same machine. */
function replace({ context, master }: World, { machine }: Agent, total?: Pools): void {
  context.clock.after(context.rng.between(5_000, 60_000), () => {
    if (machine.agent === null) master.newAgent(machine, total);
  });
}

function shutDown(world: World): string | null {
  const agent = anyAgent(world);
  if (agent === null || !agent.isReachable || agent.term === null) return null;
  agent.send(() => {
    world.master.heardShutdown(agent);
    comeBack(world, agent.machine);
  });
  for (const task of agent.live) task.die();
  world.context.clock.after(2_000, () => {
    agent.lose('isUp');
    agent.shutDown();
    if (world.master.agents.get(agent.id)?.agent !== agent) return;
    // Its last word was lost: it misses its pings, until another one registers from there.
    world.master.watch(agent);
    replace(world, agent);
  });
  return agent.id;
}

/** Perhaps the machine comes back, with a new agent. */
function comeBack(world: World, machine: Machine): void {
  const { clock, rng } = world.context;
  if (rng.chance(0.3)) return;
  clock.after(rng.between(10_000, 200_000), () => {
    if (machine.agent === null) world.master.newAgent(machine);
  });
}

function join(world: World): string | null {
  if (world.machines.length >= 20) return null;
  world.addMachine();
  return `h${world.machines.length}`;
}

function markGone(world: World): string | null {
  const { rng } = world.context;
  const entry = rng.chance(0.5) ? anyEntry(world, 'registered') : anyEntry(world, 'unreachable');
  if (entry === null || world.master.term === null || world.agents.length <= 4) return null;
  world.master.markGone(entry);
  const { agent } = entry;
  world.context.clock.after(anyAbsence(world), () => {
    if (agent.isOver) comeBack(world, agent.machine);
  });
  return entry.id;
}

function forget(world: World): string | null {
  const entry = anyEntry(world, 'unreachable');
  if (entry === null) return null;
  world.master.forget(entry);
  return entry.id;
}

function drain(world: World, kills: boolean): string | null {
  const entry = anyEntry(world, 'registered');
  if (entry === null || entry.isDeactivated) return null;
  const { master } = world;
  if (kills) master.drain(entry);
  else {
    entry.isDeactivated = true;
    master.allocator.rescindOf(entry);
  }
  world.context.clock.after(world.context.rng.between(20_000, 200_000), () => master.reactivate(entry));
  return entry.id;
}

function attributes(world: World): string | null {
  const agent = anyAgent(world);
  if (agent === null || !agent.isReachable) return null;
  agent.lose('isUp');
  agent.machine.rack = world.context.rng.pick(['a', 'b', 'c']);
  world.master.watch(agent);
  world.context.clock.after(world.context.rng.between(1_000, 20_000), () => agent.recover());
  return `${agent.id} rack ${agent.machine.rack}`;
}

function maintenance(world: World): string | null {
  const { clock, rng } = world.context;
  const agent = anyAgent(world);
  if (agent === null || agent.machine.maintenance !== null) return null;
  const { machine } = agent;
  const from = world.context.now + rng.between(0, 60_000);
  const until = from + rng.between(30_000, 300_000);
  machine.maintenance = { from, until };
  world.master.scheduleChanged();
  clock.at(until, () => {
    if (machine.maintenance?.from !== from) return;
    machine.maintenance = null;
    world.master.scheduleChanged();
  });
  return agent.id;
}

function cut(machine: Machine): void {
  machine.isControlCut = true;
  for (const { proxy } of machine.agent?.live ?? []) proxy?.unlink();
}

/** Of one machine, or (the scheduler's own network) of many. */
function cutControl(world: World): string | null {
  const { clock, rng } = world.context;
  const isCommon = rng.chance(0.3);
  const machines = isCommon ? world.machines.filter(() => rng.chance(0.7)) : [rng.pick(world.machines)];
  for (const machine of machines) cut(machine);
  clock.after(rng.between(5_000, 120_000), () => {
    for (const machine of machines) machine.isControlCut = false;
  });
  return machines.map(({ name }) => name).join(' ');
}

/** Another framework takes what is free. */
function grab(world: World): string | null {
  const { clock, rng } = world.context;
  const entry = anyEntry(world, 'registered');
  if (entry === null) return null;
  const { machine } = entry.agent;
  const free = world.master.allocator.free(entry).amounts(machine.base);
  const { others } = machine;
  if (others.cpus + others.ports > 0) return null;
  const cpus = rng.chance(0.5) ? free.cpus : 0;
  const ports = rng.chance(0.6) ? free.ports & portBit(4140) : 0;
  machine.others = { cpus, mem: 0, disk: 0, ports };
  clock.after(rng.between(10_000, 200_000), () => {
    machine.others = { cpus: 0, mem: 0, disk: 0, ports: 0 };
    for (const one of world.master.agents.values()) if (one.agent.machine === machine) world.master.allocator.look(one);
  });
  return `${entry.id} cpus ${cpus} ports ${ports}`;
}

function rescind(world: World): string | null {
  const [offer] = world.master.allocator.offers.values();
  if (offer === undefined) return null;
  world.master.allocator.rescindOf(offer.entry);
  world.master.allocator.look(offer.entry);
  return offer.entry.id;
}

function failOver(world: World): string | null {
  if (world.master.term === null) return null;
  world.master.fail();
  return '';
}

function disconnect(world: World): string | null {
  const session = world.leader?.session ?? null;
  if (session === null || session.isBroken) return null;
  session.break();
  return '';
}

function breakWatch(world: World): string | null {
  const [watcher] = world.master.watchers;
  if (watcher === undefined) return null;
  world.master.watchers.delete(watcher);
  watcher.broken();
  return '';
}

function onLeader(world: World, hit: (leader: Scheduler) => void): string | null {
  const { leader } = world;
  if (leader === null) return null;
  hit(leader);
  return `${leader.epoch}`;
}

function pause(world: World): string | null {
  const { leader } = world;
  if (leader === null || leader.isPaused) return null;
  world.pause(leader, world.context.rng.between(1_000, 60_000));
  return `${leader.epoch}`;
}

function storeDown(world: World): string | null {
  const { store } = world;
  if (store.isDown) return null;
  store.isDown = true;
  world.context.clock.after(world.context.rng.between(500, 20_000), () => {
    store.isDown = false;
  });
  return '';
}

/** Nobody should; if somebody does, the scheduler starts again from what is there. */
function foreignWrite(world: World): string | null {
  const keys = [...world.store.records.keys()];
  if (keys.length === 0) return null;
  const key = world.context.rng.pick(keys);
  const record = world.store.records.get(key);
  if (record !== undefined) record.version += 1;
  return key;
}
