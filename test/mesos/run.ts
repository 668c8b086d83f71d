/** Tells the stories one after the other, and ends what they began. */
import { isIP } from 'node:net';
import { advertisedUrl } from '../../scheduler/advertise.ts';
import { readConfig } from '../../scheduler/config.ts';
import { isLoopback } from '../../scheduler/loopback.ts';
import { openMasters } from '../../scheduler/master-access.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type AgentRow, commonPorts, leastMemory, Mesos } from './mesos.ts';
import { Stage } from './stage.ts';
import { type Builds, type Story, storiesWith } from './stories.ts';
import { type Options, type Outcome, Skipped } from './types.ts';

/** Of a proxy. An upgrade needs a while for two workers. */
const MEM_MB = 256;
/** For agents that are small themselves. */
const LITTLE_MEM_MB = 128;
/** With room for the rollout, and for the executor. */
const ROOMY_MB = 400;

const ANSWER_MS = 30_000;
const LOOK_MS = 500;

export interface Surroundings extends Builds {
  readonly command: string;
  readonly archive: string;
  /** Aborted when somebody wants it to end. */
  readonly signal: AbortSignal;
  say(line: string): void;
}

/**
 * @throws for options that make no sense. Where there is no cluster that could be asked, or none that the stories could be
 * told to, the first story has failed.
 */
export async function run(options: Options, surroundings: Surroundings): Promise<Outcome[]> {
  const { signal, dist, version } = surroundings;
  const stories = chosen(storiesWith({ dist, version }), options);
  const master = options.master.includes('://') ? options.master : `http://${options.master}`;
  const needed = ['--master', master, '--marathon', 'http://127.0.0.1:1', '--state', 'file:unused'];
  const nothing = (): void => undefined;
  const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const mesos = new Mesos(openMasters(readConfig([...needed, ...options.words]), silent));
  try {
    const stage = await open(options, surroundings, mesos).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    );
    if (typeof stage === 'string') return uncovered(stories, stage);
    try {
      return await tellAll(stories, stage, signal);
    } finally {
      await stage.clear();
    }
  } finally {
    mesos.close();
  }
}

async function open(options: Options, surroundings: Surroundings, mesos: Mesos): Promise<Stage> {
  const { say, signal } = surroundings;
  const agents = await gathered(mesos, options, signal);
  say(`${agents.length} agents: ${agents.map(({ ip }) => ip).join(', ')}`);
  const ports = options.ports ?? commonPorts(agents);
  if (ports === null) throw new Error('no three ports are free on all agents; choose some with --ports');
  const listenIp = options.listenIp ?? (await addressTowards(agents));
  say(`ports out=${ports.out},in=${ports.in},admin=${ports.admin}; the scheduler is reached at ${listenIp}`);
  const mem = leastMemory(agents) >= ROOMY_MB ? MEM_MB : LITTLE_MEM_MB;
  return await Stage.open({ ...surroundings, options, mesos, listenIp, ports, mem, agents: agents.length });
}

/** The agents, once there are as many as are wanted. */
async function gathered(mesos: Mesos, { agents: wanted, patienceMs }: Options, signal: AbortSignal) {
  return await eventually(
    `the masters tell of ${wanted ?? 'some'} agents`,
    async () => {
      // Nothing has been begun yet that would have to be taken away.
      if (signal.aborted) return [];
      const agents = await mesos.agents();
      if (agents.length >= (wanted ?? 1)) return agents;
      throw new Error(`${agents.length} agents are registered`);
    },
    // Masters that do not answer will hardly do so later: where they are was wrong.
    wanted === null ? ANSWER_MS : patienceMs,
    LOOK_MS,
  );
}

/** This machine's address on the way to the agents, to one of another machine if there is one. */
async function addressTowards(agents: readonly AgentRow[]): Promise<string> {
  const ips = agents.map(({ ip }) => ip);
  const ip = ips.find((each) => !isLoopback(each)) ?? ips[0] ?? '127.0.0.1';
  const towards = `http://${isIP(ip) === 6 ? `[${ip}]` : ip}`;
  return new URL(await advertisedUrl('0.0.0.0', 1, { kind: 'urls', urls: [towards] })).hostname;
}

/** One after the other; a story that fails or is skipped does not keep those after it from being told, coverage excepted. */
export async function tellAll<S extends Pick<Stage, 'say' | 'requireSingles'>>(
  stories: readonly Story<S>[],
  stage: S,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const story of stories) {
    const outcome = signal.aborted ? skipped(story, 'interrupted') : await tell(story, stage);
    const { result, seconds, reason } = outcome;
    stage.say(`${story.name}: ${result}, ${seconds.toFixed(1)} s${reason === undefined ? '' : `: ${reason}`}`);
    outcomes.push(outcome);
    // Without proxies there is nothing to tell of.
    if (story.name !== 'coverage' || result === 'passed') continue;
    return [...outcomes, ...stories.slice(1).map((other) => skipped(other, NOT_COVERED))];
  }
  return outcomes;
}

async function tell<S extends Pick<Stage, 'say' | 'requireSingles'>>(story: Story<S>, stage: S): Promise<Outcome> {
  const { name, what } = story;
  stage.say(`${name}: ${what}`);
  const begun = performance.now();
  const seconds = (): number => Math.round((performance.now() - begun) / 100) / 10;
  try {
    await story.tell(stage);
    stage.requireSingles();
    return { name, result: 'passed', seconds: seconds() };
  } catch (error) {
    const result = error instanceof Skipped ? 'skipped' : 'failed';
    return { name, result, seconds: seconds(), reason: error instanceof Error ? error.message : String(error) };
  }
}

const NOT_COVERED = 'the agents are not covered';

function uncovered([first, ...others]: readonly Story[], reason: string): Outcome[] {
  if (first === undefined) return [];
  const failed: Outcome = { name: first.name, result: 'failed', seconds: 0, reason };
  return [failed, ...others.map((other) => skipped(other, NOT_COVERED))];
}

function skipped({ name }: Pick<Story, 'name'>, reason: string): Outcome {
  return { name, result: 'skipped', seconds: 0, reason };
}

/** @throws for a name that no story has. */
function chosen(stories: readonly Story[], { stories: names }: Options): Story[] {
  const unknown = names?.find((name) => !stories.some((story) => story.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no story '${unknown}'; there are ${stories.map(({ name }) => name).join(', ')}`);
  }
  const always = new Set(['coverage', 'uninstall']);
  return stories.filter(({ name }) => names === null || always.has(name) || names.includes(name));
}
