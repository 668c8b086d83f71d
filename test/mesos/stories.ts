/** The stories, in the order in which they are told. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './commands.ts';
import { otherArchive } from './other-archive.ts';
import { Pings, ping, type Silence, silentTogether } from './pings.ts';
import { processesOf } from './proxies.ts';
import type { Stage } from './stage.ts';
import { Final, type NodeRow, Skipped } from './types.ts';

export interface Story<S = Stage> {
  readonly name: string;
  readonly what: string;
  /** @throws Skipped, or an error that says what is not as it should be. */
  tell(stage: S): Promise<void>;
}

const SOON_MS = 60_000;
/** Fetching 46 MB and unpacking them. */
const LAUNCH_MS = 180_000;
/** More of it for each agent: not all are launched at once. */
const LAUNCH_EACH_MS = 5_000;
/** Until a process has ended that was told to. */
const GRACE_MS = 30_000;
/** As long as its loss has not been noticed. */
const NOT_LOST = new Set(['healthy', 'unhealthy', 'launching']);

export interface Builds {
  readonly dist: string;
  readonly version: string;
}

export function storiesWith(builds: Builds): Story[] {
  return [
    { name: 'coverage', what: 'every agent gets a healthy proxy', tell: coverage },
    { name: 'proxy-killed', what: 'a proxy that is killed is replaced, and no other', tell: proxyKilled },
    { name: 'agent-stopped', what: 'an agent that goes is lost, and comes back with its proxy', tell: agentStopped },
    { name: 'master-killed', what: 'no proxy notices that the leading master died', tell: masterKilled },
    { name: 'scheduler-moved', what: 'a killed scheduler goes on at another place', tell: schedulerMoved },
    { name: 'upgrade', what: 'new code gets into the tasks that run', tell: (stage) => upgrade(stage, builds) },
    { name: 'rollout', what: 'new tasks replace the old, one after the other', tell: rollout },
    { name: 'uninstall', what: 'nothing of it is left', tell: uninstall },
  ];
}

async function coverage(stage: Stage): Promise<void> {
  await stage.start();
  const agents = await stage.mesos.agents();
  const nodes = await stage.whole(LAUNCH_MS + agents.length * LAUNCH_EACH_MS);
  const silent = await Promise.all(nodes.map((node) => ping(stage.pingUrl(node))));
  const why = silent.filter((each) => each !== null);
  if (why.length > 0) throw new Error(`a proxy is told to be healthy, and does not answer: ${why.join('; ')}`);
  stage.say(`${nodes.length} agents have a healthy proxy`);
}

async function proxyKilled(stage: Stage): Promise<void> {
  const before = await stage.whole(SOON_MS);
  const node = await killOne(stage, before);
  await stage.until(
    'another proxy is healthy there',
    async () => {
      const now = await stage.node(node.agentId);
      return now?.state === 'healthy' && now.taskId !== node.taskId;
    },
    LAUNCH_MS,
  );
  requireSame(before, await stage.whole(SOON_MS), new Set([node.agentId]));
}

/** Ends a proxy, its supervisor and its workers, as by kill -9. */
async function killOne(stage: Stage, nodes: readonly NodeRow[]): Promise<NodeRow> {
  const { proxyKill } = stage.options.commands;
  for (const node of nodes) {
    const { ip, agentId, taskId } = node;
    if (taskId === null) continue;
    if (proxyKill !== null) {
      await runCommand(stage, proxyKill, { ip, agent: agentId, task: taskId });
      return node;
    }
    const pids = await processesOf(taskId);
    if (pids.length === 0) continue;
    stage.say(`killing the proxy on ${ip} (${pids.length} processes)`);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    return node;
  }
  throw new Skipped('this user sees no process of a proxy on this machine; needs --proxy-kill');
}

async function agentStopped(stage: Stage): Promise<void> {
  const { agentStop, agentStart } = stage.options.commands;
  if (agentStop === null || agentStart === null) throw new Skipped('needs --agent-stop and --agent-start');
  const before = await stage.whole(SOON_MS);
  const node = before.at(-1);
  if (node === undefined) throw new Error('there is no agent');
  const values = { ip: node.ip, agent: node.agentId };
  try {
    await runCommand(stage, agentStop, values);
    await stage.until(
      'the agent is lost',
      async () => !NOT_LOST.has((await stage.node(node.agentId))?.state ?? 'gone'),
      stage.options.patienceMs,
    );
  } finally {
    await runCommand(stage, agentStart, values);
  }
  const after = await stage.whole(stage.options.patienceMs + LAUNCH_MS);
  const back = after.find(({ ip }) => ip === node.ip);
  stage.say(`${node.ip} is back with ${back?.taskId === node.taskId ? 'the same task' : 'a new task'}`);
  requireSame(before, after, new Set([node.agentId]));
}

async function masterKilled(stage: Stage): Promise<void> {
  const { masterKill } = stage.options.commands;
  if (masterKill === null) throw new Skipped('needs --master-kill');
  const before = await stage.whole(SOON_MS);
  const id = await stage.scheduler.frameworkId();
  await unnoticed(stage, before, async () => {
    const subscriptions = await stage.scheduler.subscriptions();
    const { ip, port } = await stage.mesos.leader();
    await runCommand(stage, masterKill, { ip, port: String(port) });
    await stage.until(
      'the scheduler has subscribed to another master',
      async () =>
        (await stage.scheduler.subscriptions()) > subscriptions && (await stage.scheduler.health()).subscribed,
      stage.options.patienceMs,
    );
    requireSame(before, await stage.whole(stage.options.patienceMs));
  });
  requireFramework(id, await stage.scheduler.frameworkId());
}

async function schedulerMoved(stage: Stage): Promise<void> {
  const before = await stage.whole(SOON_MS);
  const id = await stage.scheduler.frameworkId();
  await unnoticed(stage, before, async () => {
    await stage.scheduler.kill();
    await stage.start();
    const after = await stage.whole(SOON_MS);
    requireSame(before, after);
    requireFramework(id, await stage.scheduler.frameworkId());
    await stage.until(
      'every proxy has found the new scheduler',
      async () => (await stage.scheduler.health()).sessions >= after.length,
      SOON_MS,
    );
  });
}

async function upgrade(stage: Stage, builds: Builds): Promise<void> {
  const before = await stage.whole(SOON_MS);
  const other = await otherArchive(stage.archive, { ...builds, directory: join(stage.directory, 'other') });
  await unnoticed(stage, before, async () => {
    await stage.scheduler.stop();
    await stage.start({ archives: [other.file, stage.archive] });
    await rolledOut(stage, before, (node) => node.running?.codeSha256 === other.codeSha256);
    requireSame(before, await stage.whole(SOON_MS));
  });
}

async function rollout(stage: Stage): Promise<void> {
  const before = await stage.whole(SOON_MS);
  const tasks = new Set(before.map(({ taskId }) => taskId));
  const silences = await pinging(stage, before, async () => {
    await stage.scheduler.stop();
    await stage.start({ mem: stage.mem + 32 });
    await rolledOut(stage, before, (node) => !tasks.has(node.taskId));
    await stage.whole(SOON_MS);
  });
  const together = silentTogether(silences);
  if (together !== null) throw new Error(`two proxies were away at the same time: ${together.join(' and ')}`);
}

/** Waits for the end of a rollout. */
async function rolledOut(stage: Stage, before: readonly NodeRow[], isDone: (node: NodeRow) => boolean): Promise<void> {
  await stage.until(
    'the rollout is complete, on every agent',
    async () => {
      const { plans } = await stage.scheduler.health();
      if (plans['update'] === 'ERROR') throw new Final(`the rollout has failed: ${await reasons(stage)}`);
      const nodes = await stage.scheduler.nodes();
      const isOver = plans['update'] === 'COMPLETE' && nodes.every((node) => node.state === 'healthy' && isDone(node));
      if (!isOver) throw new Error(`the plan is ${plans['update']}; ${await reasons(stage)}`);
      return true;
    },
    before.length * LAUNCH_MS,
  );
}

async function reasons(stage: Stage): Promise<string> {
  const nodes = await stage.scheduler.nodes();
  return nodes.map(({ ip, state, reason }) => `${ip}: ${state}${reason === null ? '' : `, ${reason}`}`).join('; ');
}

async function uninstall(stage: Stage): Promise<void> {
  const { frameworkId } = stage;
  const last = (await stage.scheduler.nodes()).flatMap(({ taskId }) => taskId ?? []);
  await stage.scheduler.stop();
  await stage.start({ uninstall: true });
  await stage.until('the framework is gone', async () => !(await stage.mesos.knows(frameworkId)), LAUNCH_MS);
  stage.isUninstalled();
  const tasks = await stage.mesos.tasks(frameworkId);
  if (tasks.size > 0) throw new Error(`tasks are left: ${[...tasks.values()].flat().join(', ')}`);
  const reserved = await stage.mesos.reservedFor(frameworkId);
  if (reserved.length > 0) throw new Error(`resources are still reserved on ${reserved.join(', ')}`);
  await stage.until(
    'the scheduler says that it is done',
    async () => (await stage.scheduler.health()).plans['deploy'] === 'COMPLETE',
    SOON_MS,
  );
  await stage.until(
    'no process of a proxy is left',
    async () => (await Promise.all(last.map(processesOf))).every((pids) => pids.length === 0),
    GRACE_MS,
  );
  const state = join(stage.directory, 'state');
  await stage.until(
    'no state is left',
    async () => {
      const names = existsSync(state) ? await readdir(state, { recursive: true }) : [];
      const left = names.filter((name) => name.endsWith('.json'));
      if (left.length > 0) throw new Error(left.join(', '));
      return true;
    },
    SOON_MS,
  );
}

/** Something that no caller of a proxy is to notice: all of them answer all the time. */
async function unnoticed(stage: Stage, nodes: readonly NodeRow[], deed: () => Promise<void>): Promise<void> {
  const silences = await pinging(stage, nodes, deed);
  const reasons = new Set(silences.map(({ why }) => why));
  if (reasons.size > 0) throw new Error(`proxies did not answer meanwhile: ${[...reasons].join('; ')}`);
}

/** When proxies did not answer while something was done. @throws what the deed throws. */
async function pinging(
  stage: Stage,
  nodes: readonly NodeRow[],
  deed: () => Promise<void>,
): Promise<readonly Silence[]> {
  const pings = new Pings(nodes.map((node) => stage.pingUrl(node)));
  try {
    await deed();
  } finally {
    await pings.stop();
  }
  return await pings.stop();
}

/** The same tasks as before, but for some agents. */
function requireSame(
  before: readonly NodeRow[],
  after: readonly NodeRow[],
  but: ReadonlySet<string> = new Set(),
): void {
  const now = new Map(after.map((node) => [node.agentId, node.taskId]));
  const changed = before.filter(({ agentId, taskId }) => !but.has(agentId) && now.get(agentId) !== taskId);
  if (changed.length > 0) throw new Error(`proxies were replaced on ${changed.map(({ ip }) => ip).join(', ')}`);
}

function requireFramework(before: string | null, after: string | null): void {
  if (before !== after) throw new Error(`the framework was ${before} and is ${after}`);
}
