/** When the cluster may call itself ready: asked of the real APIs, as an operator would ask. */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalNode } from './documents.ts';

const PAUSE_MS = 100;
const REQUEST_TIMEOUT_MS = 2000;

export interface ReadinessQuestion {
  readonly mesos: string;
  readonly marathon: string;
  /** Null with `--no-scheduler`. */
  readonly scheduler: string | null;
  nodes(): readonly LocalNode[];
  /** App id → instances that must run; empty without the demo. */
  readonly apps: ReadonlyMap<string, number>;
  readonly timeoutMs: number;
  progress(text: string): void;
  /** A reason to give up at once, or null. */
  hopeless(): string | null;
}

/** Resolves when ready. @throws an Error that names what is still missing when the time is over. */
export async function waitUntilReady(question: ReadinessQuestion): Promise<void> {
  const deadline = Date.now() + question.timeoutMs;
  for (;;) {
    const missing = await firstMissing(question);
    if (missing === null) return;
    const hopeless = question.hopeless();
    if (hopeless !== null) throw new Error(hopeless);
    if (Date.now() >= deadline) {
      throw new Error(`not ready after ${question.timeoutMs / 1000} s: ${missing}`);
    }
    question.progress(missing);
    await sleep(PAUSE_MS);
  }
}

/** The first thing that is not as it should be, in the order in which a cluster comes up; null when all is. */
async function firstMissing(question: ReadinessQuestion): Promise<string | null> {
  const { mesos, marathon, scheduler, apps } = question;
  const nodes = question.nodes();
  const slaves = await getJson(`${mesos}/slaves`);
  if (slaves === null) return 'no answer from the Mesos master yet';
  const registered = arrayAt(slaves, 'slaves').length;
  if (registered < nodes.length) return `${registered} of ${nodes.length} agents are registered`;
  if ((await get(`${marathon}/ping`)).status !== 200) return 'no answer from Marathon yet';
  if (scheduler !== null) {
    const missing = await missingProxies(scheduler, nodes);
    if (missing !== null) return missing;
  }
  if (apps.size === 0) return null;
  const missing = await missingTasks(marathon, apps);
  if (missing !== null || scheduler === null) return missing;
  return missingAnswers(nodes);
}

async function missingProxies(scheduler: string, nodes: readonly LocalNode[]): Promise<string | null> {
  const listed = await getJson(`${scheduler}/v1/nodes`);
  if (!Array.isArray(listed)) return 'no answer from the scheduler yet';
  const states = new Map(listed.map((node) => [textAt(node, 'agentId'), node] as const));
  const waiting = nodes.filter((node) => textAt(states.get(node.agentId), 'state') !== 'healthy');
  const first = waiting[0];
  if (first === undefined) return null;
  const known = states.get(first.agentId);
  const state = textAt(known, 'state') ?? 'not known to the scheduler yet';
  const reason = textAt(known, 'reason');
  const count = `${nodes.length - waiting.length} of ${nodes.length} proxies are healthy`;
  return `${count}; ${first.hostname} is ${state}${reason === undefined ? '' : `: ${reason}`}`;
}

async function missingTasks(marathon: string, apps: ReadonlyMap<string, number>): Promise<string | null> {
  const listed = await getJson(`${marathon}/v2/apps`);
  if (listed === null) return 'no answer from Marathon yet';
  const running = new Map(arrayAt(listed, 'apps').map((app) => [textAt(app, 'id'), numberAt(app, 'tasksRunning')]));
  for (const [id, wanted] of apps) {
    const count = running.get(id) ?? 0;
    if (count < wanted) return `${count} of ${wanted} tasks of the demo's ${id} run`;
  }
  // Marathon refuses changes to an app while it is being deployed, and who sees "ready" may change one at once.
  const deployments = await getJson(`${marathon}/v2/deployments`);
  const count = Array.isArray(deployments) ? deployments.length : 0;
  if (count > 0) return `${count} deployments of the demo are not finished: its tasks are not all healthy yet`;
  return null;
}

async function missingAnswers(nodes: readonly LocalNode[]): Promise<string | null> {
  const answers = await Promise.all(nodes.map((node) => get(node.http, { Host: 'web' })));
  const index = answers.findIndex((answer) => answer.status !== 200);
  const answer = answers[index];
  const node = nodes[index];
  if (answer === undefined || node === undefined) return null;
  const how = answer.status === null ? 'no answer' : `${answer.status} ${answer.body.split('\n')[0] ?? ''}`;
  return `the demo's web does not answer yet through ${node.http}: ${how}`;
}

interface Answer {
  /** Null: no answer. */
  readonly status: number | null;
  readonly body: string;
}

// node:http and not fetch, which does not let a caller set Host.
function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve) => {
    const outgoing = request(url, { headers, agent: false, timeout: REQUEST_TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? null, body: Buffer.concat(chunks).toString('utf8') }),
      );
      response.on('error', () => resolve({ status: null, body: '' }));
    });
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', () => resolve({ status: null, body: '' }));
    outgoing.end();
  });
}

async function getJson(url: string): Promise<unknown> {
  const answer = await get(url);
  if (answer.status !== 200) return null;
  try {
    return JSON.parse(answer.body) as unknown;
  } catch {
    return null; // cut off while it starts: asked again
  }
}

function fieldAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function arrayAt(value: unknown, key: string): unknown[] {
  const field = fieldAt(value, key);
  return Array.isArray(field) ? field : [];
}

function textAt(value: unknown, key: string): string | undefined {
  const field = fieldAt(value, key);
  return typeof field === 'string' ? field : undefined;
}

function numberAt(value: unknown, key: string): number {
  const field = fieldAt(value, key);
  return typeof field === 'number' ? field : 0;
}
