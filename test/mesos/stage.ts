/**
 * What all stories share: the cluster, the scheduler that is at work now, and how things are. Everything that was begun
 * here is ended by `clear`, whatever happened.
 */

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLoopback } from '../../scheduler/loopback.ts';
import { eventually } from '../fixtures/eventually.ts';
import { MarathonStub } from './marathon-stub.ts';
import type { Mesos } from './mesos.ts';
import { SchedulerProcess } from './scheduler-process.ts';
import { Final, type NodeRow, type Options, Skipped } from './types.ts';

const LOOK_MS = 250;
const WATCH_MS = 1_000;
const SOON_MS = 10_000;
const SUBSCRIBED_MS = 60_000;
const UNINSTALL_MS = 90_000;
/** Of a proxy of these stories. */
const CPUS = '0.1';

export interface StageOptions {
  readonly options: Options;
  readonly mesos: Mesos;
  /** The file of the built command. */
  readonly command: string;
  readonly listenIp: string;
  readonly ports: { readonly out: number; readonly in: number; readonly admin: number };
  /** Of a proxy, megabytes. */
  readonly mem: number;
  /** How many there were at the beginning. */
  readonly agents: number;
  /** A file, or the word for the build. */
  readonly archive: string;
  /** Aborted when somebody wants an end. */
  readonly signal: AbortSignal;
  say(line: string): void;
}

interface Token {
  readonly file: string;
  readonly text: string;
}

/** What is other than usual about a scheduler. */
export interface Change {
  readonly archives?: readonly string[];
  /** Megabytes. */
  readonly mem?: number;
  readonly uninstall?: boolean;
}

export class Stage {
  readonly directory: string;
  readonly mesos: Mesos;
  readonly options: Options;
  readonly archive: string;
  /** Of a proxy, megabytes. */
  readonly mem: number;
  readonly say: (line: string) => void;
  readonly #of: StageOptions;
  readonly #marathon: MarathonStub;
  readonly #token: Token | null;
  readonly #watch: NodeJS.Timeout;
  #scheduler: SchedulerProcess | null = null;
  #change: Change = {};
  #frameworkId: string | null = null;
  #isUninstalled = false;
  #isClearing = false;
  #doubles: string[] = [];

  private constructor(of: StageOptions, directory: string, marathon: MarathonStub, token: Token | null) {
    this.#of = of;
    this.mesos = of.mesos;
    this.options = of.options;
    this.archive = of.archive;
    this.mem = of.mem;
    this.say = of.say;
    this.directory = directory;
    this.#marathon = marathon;
    this.#token = token;
    this.#watch = setInterval(() => void this.#lookForDoubles(), WATCH_MS);
  }

  static async open(of: StageOptions): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), 'nodemesh-stories-'));
    let token: Token | null = null;
    if (!isLoopback(of.listenIp)) {
      token = { file: join(directory, 'token'), text: randomBytes(24).toString('hex') };
      await writeFile(token.file, token.text, { mode: 0o600 });
    }
    return new Stage(of, directory, await MarathonStub.start(), token);
  }

  get scheduler(): SchedulerProcess {
    if (this.#scheduler === null) throw new Error('no scheduler has been started');
    return this.#scheduler;
  }

  get frameworkId(): string {
    if (this.#frameworkId === null) throw new Error('the framework has no id yet');
    return this.#frameworkId;
  }

  /** Starts a scheduler on a port of its own with the state of those before it. What was changed before stays so. */
  async start(change: Change = {}): Promise<SchedulerProcess> {
    this.#change = { ...this.#change, ...change };
    const { archives = [this.archive], mem = this.mem, uninstall = false } = this.#change;
    const { options, ports, listenIp, command } = this.#of;
    const port = await freePort(listenIp);
    const args = [
      ...['--master', options.master.includes('://') ? options.master : `http://${options.master}`],
      ...['--marathon', this.#marathon.url, '--state', `file:${join(this.directory, 'state')}`],
      ...['--listen', `${listenIp}:${port}`, '--name', 'nodemesh-stories', '--role', 'nodemesh-stories'],
      ...['--ports', `out=${ports.out},in=${ports.in},admin=${ports.admin},edge=none`, '--bind', 'node'],
      ...[
        '--proxy-cpus',
        CPUS,
        '--proxy-mem',
        String(mem),
        '--proxy-workers',
        '1',
        '--rollout-gate',
        '1s',
        '--strategy',
        'serial',
      ],
      ...archives.flatMap((file) => ['--proxy-archive', file]),
      ...(this.#token === null ? [] : ['--api-token-file', this.#token.file]),
      ...(uninstall ? ['--uninstall'] : []),
      ...options.words,
    ];
    this.#scheduler = new SchedulerProcess({
      file: command,
      args,
      url: `http://${listenIp}:${port}`,
      token: this.#token?.text ?? null,
      verbose: options.verbose,
    });
    this.say(`a scheduler starts on ${listenIp}:${port}`);
    const scheduler = this.#scheduler;
    await this.until(
      'the scheduler is subscribed',
      async () => {
        const { subscribed, reasons } = await scheduler.health();
        if (subscribed || uninstall) return true;
        throw new Error(`${reasons.join('; ')}; its last words: ${scheduler.lastWords}`);
      },
      SUBSCRIBED_MS,
    );
    this.#frameworkId ??= await this.until('the framework has an id', () => scheduler.frameworkId(), SOON_MS);
    return scheduler;
  }

  /** @throws Skipped as soon as somebody wants an end, unless everything is being cleared away; a Final error at once. */
  async until<T>(what: string, question: () => Promise<T> | T, timeoutMs: number) {
    const { signal } = this.#of;
    const asked = async (): Promise<T | Error> => {
      if (signal.aborted && !this.#isClearing) return new Skipped('interrupted');
      try {
        return await question();
      } catch (error) {
        if (error instanceof Final) return error;
        throw error;
      }
    };
    const answer = await eventually(what, asked, timeoutMs, LOOK_MS);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  /**
   * The nodes of all registered agents, once each has a healthy proxy, and the master has that very task too. There are no
   * fewer than at the beginning: those of a master that was started again come back one by one.
   */
  async whole(timeoutMs: number): Promise<NodeRow[]> {
    const least = Math.max(this.#of.agents, this.options.agents ?? 1);
    return await this.until(
      'every agent has a healthy proxy',
      async () => {
        const [agents, nodes, tasks] = await Promise.all([
          this.mesos.agents(),
          this.scheduler.nodes(),
          this.mesos.tasks(this.frameworkId),
        ]);
        if (agents.length < least) throw new Error(`${agents.length} agents are registered, not ${least}`);
        const whole: NodeRow[] = [];
        const missing: string[] = [];
        for (const { id, ip } of agents) {
          const node = nodes.find(({ agentId }) => agentId === id);
          const [task] = tasks.get(id) ?? [];
          if (node === undefined) missing.push(`${ip}: not known to the scheduler`);
          else if (node.state !== 'healthy') missing.push(`${ip}: ${node.state}, ${node.reason}`);
          else if (task !== node.taskId) missing.push(`${ip}: the master has ${task ?? 'no task'}, not ${node.taskId}`);
          else whole.push(node);
        }
        if (missing.length > 0) throw new Error(missing.join('; '));
        return whole;
      },
      timeoutMs,
    );
  }

  /** Where a proxy can be asked whether it is there. */
  pingUrl({ ip }: NodeRow): string {
    return `http://${ip.includes(':') ? `[${ip}]` : ip}:${this.#of.ports.admin}/admin/ping`;
  }

  async node(agentId: string): Promise<NodeRow | undefined> {
    return (await this.scheduler.nodes()).find((node) => node.agentId === agentId);
  }

  /** @throws when an agent had two proxy tasks since the last look. */
  requireSingles(): void {
    const doubles = this.#doubles;
    this.#doubles = [];
    if (doubles.length > 0) throw new Error(`two proxy tasks on an agent: ${doubles.join('; ')}`);
  }

  isUninstalled(): void {
    this.#isUninstalled = true;
  }

  /** Ends what was begun: the framework as well, where no story has. */
  async clear(): Promise<void> {
    this.#isClearing = true;
    clearInterval(this.#watch);
    try {
      // Interrupted between its subscription and the question for its id.
      this.#frameworkId ??= (await this.#scheduler?.frameworkId().catch(() => null)) ?? null;
      if (this.#frameworkId !== null && !this.#isUninstalled) await this.#uninstall(this.#frameworkId);
    } finally {
      await this.#scheduler?.stop();
      await this.#marathon.stop();
      await rm(this.directory, { recursive: true, force: true });
    }
  }

  async #uninstall(frameworkId: string): Promise<void> {
    this.say('taking everything away');
    await this.#scheduler?.stop();
    try {
      await this.start({ uninstall: true });
      await this.until('the framework is gone', async () => !(await this.mesos.knows(frameworkId)), UNINSTALL_MS);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.say(`could not uninstall the framework ${frameworkId} (${why}); end it with POST /master/teardown`);
    }
  }

  async #lookForDoubles(): Promise<void> {
    if (this.#frameworkId === null) return;
    // A master that fails over does not answer: then there is nothing to see.
    const tasks = await this.mesos.tasks(this.#frameworkId).catch(() => null);
    for (const [agent, ids] of tasks ?? []) if (ids.length > 1) this.#doubles.push(`${agent} has ${ids.join(', ')}`);
  }
}

/** A port that is free now. */
async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error(`no port of ${host} is free`);
  return address.port;
}
