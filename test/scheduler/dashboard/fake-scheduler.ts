/**
 * A scheduler of which only the HTTP API exists: a test says what it answers. It lives under `/service/nodemesh/`, as behind
 * DC/OS' Admin Router, and answers nothing elsewhere.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const PREFIX = '/service/nodemesh/';

export interface FakeNode {
  agentId: string;
  hostname: string;
  ip: string;
  public: boolean;
  state: string;
  reason: string | null;
  taskId: string | null;
  running: { version: string; configRevision: number } | null;
  wanted: { version: string; configRevision: number } | null;
  sync?: { digestOk: boolean | null; ageSeconds: number | null } | null;
  since: string;
}

export interface FakeService {
  name: string;
  endpoints: {
    instance: string;
    address: string;
    port: number;
    ports: { name: string; port: number }[];
    agentId: string;
    healthy: boolean;
  }[];
}

export interface FakeTraffic {
  windowMs: number;
  nodes: { agentId: string; rps: number; successRate: number | null; p50Ms: number | null; p99Ms: number | null }[];
  services: {
    name: string;
    rps: number;
    successRate: number | null;
    p50Ms: number | null;
    p95Ms: number | null;
    p99Ms: number | null;
    retries: number;
  }[];
}

const REVISION = { version: '0.1.0', configRevision: 1 };

/** A healthy private node. */
export function fakeNode(index: number, overrides: Partial<FakeNode> = {}): FakeNode {
  return {
    agentId: `agent-S${index}`,
    hostname: `node${index}.example`,
    ip: `10.0.0.${index}`,
    public: false,
    state: 'healthy',
    reason: null,
    taskId: `proxy-${index}`,
    running: REVISION,
    wanted: REVISION,
    since: new Date(Date.now() - 3_600_000).toISOString(),
    ...overrides,
  };
}

/** A service with as many instances as there are booleans: whether each is healthy. */
export function fakeService(name: string, ...healthy: readonly boolean[]): FakeService {
  return {
    name,
    endpoints: healthy.map((good, index) => ({
      instance: `${name.replaceAll('/', '_')}.${index + 1}`,
      address: `10.0.0.${index + 1}`,
      port: 31_000 + index,
      ports: [{ name: 'http', port: 31_000 + index }],
      agentId: `agent-S${index + 1}`,
      healthy: good,
    })),
  };
}

export class FakeScheduler {
  nodes: FakeNode[] = [];
  services: FakeService[] = [];
  traffic: FakeTraffic = { windowMs: 10_000, nodes: [], services: [] };
  health: Record<string, unknown> = { leading: true, subscribed: true, frozen: false };
  frameworkId: string[] = ['framework-0001'];
  /** Answers instead of the usual ones, by path below the prefix: a status and a body. */
  readonly replies = new Map<string, { readonly status: number; readonly body: string }>();
  /** How long each answer of the API takes. */
  delayMs = 0;
  /** Paths that were asked for, with how often. */
  readonly asked = new Map<string, number>();
  /** The most requests that were answered at one time, by path. */
  readonly mostAtOnce = new Map<string, number>();
  readonly #current = new Map<string, number>();
  readonly #assets: string | null;
  #server: Server | null = null;
  #port = 0;

  /** `assets`: the directory of the page, or null where only the API is of interest. */
  constructor(assets: string | null) {
    this.#assets = assets;
  }

  /** The address without its trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}${PREFIX.slice(0, -1)}`;
  }

  /** Listens: on a free port at first, on the same one after each `stop`. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#answer(new URL(request.url ?? '/', 'http://x').pathname, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : new Error(String(error)));
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Gone, like a process that was killed: connections break. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async #answer(path: string, response: ServerResponse): Promise<void> {
    this.asked.set(path, (this.asked.get(path) ?? 0) + 1);
    const now = (this.#current.get(path) ?? 0) + 1;
    this.#current.set(path, now);
    this.mostAtOnce.set(path, Math.max(now, this.mostAtOnce.get(path) ?? 0));
    response.once('close', () => this.#current.set(path, (this.#current.get(path) ?? 1) - 1));

    const name = path.startsWith(PREFIX) ? path.slice(PREFIX.length) : null;
    const reply = name === null ? { status: 404, body: 'not under the prefix' } : this.replies.get(name);
    if (reply !== undefined) {
      response.writeHead(reply.status).end(reply.body);
      return;
    }
    const answers: Record<string, unknown> = {
      'v1/nodes': this.nodes,
      'v1/services': this.services,
      'v1/traffic': this.traffic,
      'v1/health': this.health,
      'v1/state/frameworkId': this.frameworkId,
    };
    if (name !== null && Object.hasOwn(answers, name)) {
      if (this.delayMs > 0) await delay(this.delayMs);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers[name]));
      return;
    }
    await this.#asset(name === '' ? 'index.html' : (name ?? ''), response);
  }

  async #asset(name: string, response: ServerResponse): Promise<void> {
    const types: Record<string, string> = {
      'index.html': 'text/html',
      'app.js': 'text/javascript',
      'app.css': 'text/css',
    };
    const type = types[name];
    if (this.#assets === null || type === undefined) {
      response.writeHead(404).end('no such thing');
      return;
    }
    response.writeHead(200, { 'content-type': type }).end(await readFile(join(this.#assets, name)));
  }
}
