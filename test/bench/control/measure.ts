/** One scheduler, one Marathon, so many proxies: what takes how long. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeState } from './agents.ts';
import { type FromMarathon, type FromProxies, nowMs, type Seen, type Served, type ToProxies } from './messages.ts';

export interface Settings {
  /** Path of the built command. */
  readonly command: string;
  readonly proxies: number;
  readonly processes: number;
  readonly apps: number;
  readonly tasks: number;
  readonly runs: number;
  /** Changes of Marathon in a run. */
  readonly changes: number;
  readonly reconnect: boolean;
}

export interface Run {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Reconnect {
  /** From the first dropped stream to the last proxy's having its table. */
  readonly servedMs: number;
  readonly resumed: number;
  readonly snapshots: number;
  readonly wrong: number;
  readonly lost: number;
  /** `GET /v1/nodes?limit=1` meanwhile. */
  readonly nodesP99Ms: number;
  readonly nodesAnswers: number;
}

export interface Result {
  readonly proxies: number;
  readonly apps: number;
  readonly tasks: number;
  readonly firstMs: number;
  readonly runs: readonly Run[];
  readonly withResume: Reconnect | null;
  readonly withoutResume: Reconnect | null;
  /** The highest of the scheduler's resident memory, of the system's count. */
  readonly rssMb: number;
  readonly load: number;
}

const HOST = '127.0.89.254';
const SERVED_TIMEOUT_MS = 180_000;
const SEEN_TIMEOUT_MS = 20_000;
const PAUSE_MS = 300;
const POLL_BEFORE_MS = 200;
const KEPT_LOG = 3_000;
/** A proxy of this version. */
const ACCEPTS = ['resume', 'gzip'];

export async function measure(settings: Settings): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'nodemesh-bench-control-'));
  const children: ChildProcess[] = [];
  const started = <T extends ChildProcess>(child: T): T => {
    children.push(child);
    return child;
  };
  try {
    return await measured(settings, directory, started);
  } catch (error) {
    const log = await readFile(join(directory, 'scheduler.log'), 'utf8').catch(() => '');
    throw new Error(
      `${error instanceof Error ? error.message : error}\nThe scheduler said last:\n${log.slice(-KEPT_LOG)}`,
    );
  } finally {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
    await rm(directory, { recursive: true, force: true });
  }
}

async function measured(
  settings: Settings,
  directory: string,
  started: <T extends ChildProcess>(child: T) => T,
): Promise<Result> {
  const { proxies, processes, apps, tasks, runs, changes } = settings;
  const bundle = process.argv[1] ?? '';
  await mkdir(join(directory, 'state'));
  await writeState(join(directory, 'state'), proxies);

  const marathon = started(fork(bundle, ['marathon', JSON.stringify({ apps, tasks, agents: proxies })]));
  const listening = await answerOf<FromMarathon>(marathon, 'listening');
  const marathonPort = listening.kind === 'listening' ? listening.port : 0;

  const port = await freePort();
  const words = ['--master', 'http://127.0.0.1:1', '--marathon', `http://127.0.0.1:${marathonPort}`];
  const scheduler = started(
    spawn(
      process.execPath,
      [
        ...[settings.command, 'scheduler', ...words, '--listen', `${HOST}:${port}`],
        ...['--state', `file:${join(directory, 'state')}`, '--proxy-archive', 'host-node', '--log-level', 'error'],
      ],
      { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] },
    ),
  );
  const log = createWriteStream(join(directory, 'scheduler.log'));
  scheduler.stdout.pipe(log, { end: false });
  scheduler.stderr.pipe(log, { end: false });
  await until('the scheduler leads and has synced with Marathon', SERVED_TIMEOUT_MS, async () => {
    if (scheduler.exitCode !== null) throw new Fatal(await readFile(join(directory, 'scheduler.log'), 'utf8'));
    const health = JSON.parse(await get(port, '/v1/health')) as { leading: boolean; marathon: { synced: boolean } };
    return health.leading && health.marathon.synced;
  });

  const share = Math.ceil(proxies / processes);
  const crews = Array.from({ length: processes }, (_, index) => {
    const first = index * share;
    const count = Math.min(share, proxies - first);
    return started(fork(bundle, ['proxies', JSON.stringify({ host: HOST, port, first, count })]));
  });
  const first = await reconnect(crews, port, proxies, ACCEPTS, false);
  await settled(port);

  const results: Run[] = [];
  let change = 0;
  for (let run = 0; run < runs; run += 1) {
    const times: number[] = [];
    for (let index = 0; index < changes; index += 1) {
      change += 1;
      times.push(await spread(marathon, crews, change, proxies));
      await sleep(PAUSE_MS);
    }
    results.push({ p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) });
  }
  const withResume = settings.reconnect ? await reconnect(crews, port, proxies, ACCEPTS, true) : null;
  if (withResume !== null) await settled(port);
  const withoutResume = settings.reconnect ? await reconnect(crews, port, proxies, ['gzip'], false) : null;
  const status = await readFile(`/proc/${scheduler.pid}/status`, 'utf8');
  const [, peakKb = 'NaN'] = /VmHWM:\s+(\d+) kB/.exec(status) ?? [];
  const [load = 'NaN'] = (await readFile('/proc/loadavg', 'utf8')).split(' ');
  return {
    ...{ proxies, apps, tasks, firstMs: first.servedMs, runs: results, withResume, withoutResume },
    ...{ rssMb: Number(peakKb) / 1024, load: Number(load) },
  };
}

/** From the write of Marathon's event to the last proxy's having what it says. */
async function spread(marathon: ChildProcess, crews: ChildProcess[], change: number, proxies: number): Promise<number> {
  const writing = answerOf<FromMarathon>(marathon, 'written');
  marathon.send({ kind: 'change', change });
  const written = await writing;
  const at = written.kind === 'written' ? written.at : Number.NaN;
  let seen: Seen[] = [];
  await until(`change ${change} is seen by all`, SEEN_TIMEOUT_MS, async () => {
    await sleep(20);
    seen = await Promise.all(
      crews.map(async (crew) => {
        const answer = await ask(crew, { kind: 'seen', change }, 'seen');
        return answer.kind === 'seen' ? answer.seen : { change, proxies: 0, lastAt: 0 };
      }),
    );
    return seen.reduce((sum, each) => sum + each.proxies, 0) >= proxies;
  });
  return Math.max(...seen.map(({ lastAt }) => lastAt)) - at;
}

async function reconnect(
  crews: ChildProcess[],
  port: number,
  proxies: number,
  accepts: readonly string[],
  sayDigest: boolean,
): Promise<Reconnect> {
  const polled = pollNodes(port);
  await sleep(POLL_BEFORE_MS);
  const startedAt = nowMs();
  for (const crew of crews) crew.send({ kind: 'connect', accepts, sayDigest } satisfies ToProxies);
  let all: Served[] = [];
  const sum = (of: (served: Served) => number): number => all.reduce((total, each) => total + of(each), 0);
  await until('all proxies have the table', SERVED_TIMEOUT_MS, async () => {
    await sleep(100);
    all = await Promise.all(
      crews.map(async (crew) => {
        const answer = await ask(crew, { kind: 'served' }, 'served');
        if (answer.kind !== 'served') throw new Error('another answer than asked for');
        return answer.served;
      }),
    );
    return sum(({ served }) => served) >= proxies;
  });
  const nodes = await polled.stop();
  return {
    servedMs: Math.max(...all.map(({ lastAt }) => lastAt)) - startedAt,
    resumed: sum(({ resumed }) => resumed),
    snapshots: sum(({ snapshots }) => snapshots),
    wrong: sum(({ wrong }) => wrong),
    lost: sum(({ lost }) => lost),
    nodesP99Ms: quantile(nodes, 0.99),
    nodesAnswers: nodes.length,
  };
}

/**
 * Asks for one node again and again, on one connection that it had before, as the dashboard has; gives how long each answer
 * took. A new connection would also wait for its turn to be accepted, behind those of the proxies.
 */
function pollNodes(port: number): { stop(): Promise<number[]> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  let isOver = false;
  const polling = (async (): Promise<void> => {
    while (!isOver) {
      const startedAt = nowMs();
      const body = await get(port, '/v1/nodes?limit=1', agent);
      if ((JSON.parse(body) as unknown[]).length !== 1) throw new Error('no node in the answer');
      times.push(nowMs() - startedAt);
      await sleep(20);
    }
  })();
  // Whoever waits for the proxies hears of it afterwards.
  polling.catch(() => undefined);
  return {
    async stop() {
      isOver = true;
      await polling.finally(() => agent.destroy());
      return times;
    },
  };
}

/** The readiness of the nodes has gone round. */
async function settled(port: number): Promise<void> {
  let last = -1;
  let since = nowMs();
  await until('the table comes to rest', SERVED_TIMEOUT_MS, async () => {
    const { revision } = JSON.parse(await get(port, '/v1/health')) as { revision: number };
    if (revision !== last) since = nowMs();
    last = revision;
    await sleep(200);
    return nowMs() - since > 6_000;
  });
}

class Fatal extends Error {}

async function until(what: string, timeoutMs: number, question: () => Promise<boolean>): Promise<void> {
  const deadline = nowMs() + timeoutMs;
  let last = 'not yet';
  while (nowMs() < deadline) {
    try {
      if (await question()) return;
      last = 'not yet';
    } catch (error) {
      if (error instanceof Fatal) throw error;
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(20);
  }
  throw new Error(`${what}: not within ${timeoutMs / 1000} s (${last})`);
}

function answerOf<T extends { kind: string }>(child: ChildProcess, kind: T['kind']): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Fatal('a process of the bench has ended'));
    const heard = (message: unknown): void => {
      const answer = message as T;
      if (answer.kind !== kind) return;
      child.off('message', heard);
      child.off('exit', ended);
      resolve(answer);
    };
    child.on('message', heard);
    child.once('exit', ended);
  });
}

function ask(crew: ChildProcess, message: ToProxies, kind: FromProxies['kind']): Promise<FromProxies> {
  const answer = answerOf<FromProxies>(crew, kind);
  crew.send(message);
  return answer;
}

function get(port: number, path: string, agent: Agent | false = false): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ host: HOST, port, path, agent, timeout: 30_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        body += part;
      });
      response.on('end', () =>
        response.statusCode === 200 ? resolve(body) : reject(new Error(`${path}: ${response.statusCode} ${body}`)),
      );
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port');
  return address.port;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
