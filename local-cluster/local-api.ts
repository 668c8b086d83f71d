/**
 * `/local/*` on the Mesos URL: for tests, and for people who like to break things. Also hands out the demo's program,
 * which the agents fetch by URI as they would from any artifact server.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import type { Range } from '../framework/mesos-http-client/messages.ts';
import { LINK_MODES, type LinkMode } from './control-relay/modes.ts';
import {
  type AgentRequest,
  ChangeRefused,
  type FailoverRequest,
  type LocalLink,
  type LocalNode,
  type LocalProcess,
} from './documents.ts';

const MAX_BODY_BYTES = 64 * 1024;
const ARTIFACTS = new Set(['demo.mjs']);

const agentRequest = z
  .strictObject({
    public: z.boolean().optional(),
    ip: z.ipv4().optional(),
    cpus: z.number().positive().optional(),
    mem: z.number().positive().optional(),
    ports: z
      .string()
      .regex(/^\d{1,5}-\d{1,5}(,\d{1,5}-\d{1,5})*$/, 'It must be ranges such as 31000-31999.')
      .transform((text) => text.split(',').map(rangeOf))
      .optional(),
    region: z.string().min(1).optional(),
    zone: z.string().min(1).optional(),
    attributes: z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).optional(),
  })
  .refine(({ region, zone }) => (region === undefined) === (zone === undefined), 'region and zone go together');

function rangeOf(text: string): Range {
  const [begin = 0, end = 0] = text.split('-').map(Number);
  return { begin, end };
}

const MAX_STAGE_MS = 60_000;
const stageMs = z.number().min(0).max(MAX_STAGE_MS).default(0);
const failoverRequest = z.strictObject({ redirectMs: stageMs, recoveryMs: stageMs });

const linkRequest = z.strictObject({ agentId: z.string().min(1), mode: z.enum(LINK_MODES) });

/** What can be done to a cluster. The methods about one agent answer false when there is no such agent. */
export interface ClusterControls {
  processes(): LocalProcess[];
  addAgent(request: AgentRequest): Promise<LocalNode>;
  removeAgent(agentId: string): Promise<boolean>;
  stopAgent(agentId: string): boolean;
  startAgent(agentId: string): boolean;
  rebootAgent(agentId: string): Promise<boolean>;
  /** Resolves when the new master leads. */
  failover(request: FailoverRequest): Promise<void>;
  controlLinks(): LocalLink[];
  /** What happens from now on between the scheduler and the agent's proxy. */
  linkMode(agentId: string, mode: LinkMode): boolean;
  /** False if no such task runs. */
  exceedMemory(taskId: string): boolean;
}

/** An answer that is not the usual one. */
class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Answers requests under `/local/`; false for every other path. */
export function createLocalApi(
  cluster: ClusterControls,
  dist: string,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  async function answer(request: IncomingMessage, response: ServerResponse, path: readonly string[]): Promise<void> {
    // Ids need no escapes, so nothing is decoded; an escape makes a word that nobody has.
    const name = path[1];
    switch ([request.method, ...path.map((word, index) => (index === 1 ? '*' : word))].join(' ')) {
      case 'GET processes':
        return json(response, 200, cluster.processes());
      case 'GET artifacts *':
        return sendArtifact(response, dist, name ?? '');
      case 'GET control-link':
        return json(response, 200, cluster.controlLinks());
      case 'POST control-link': {
        const wish = linkRequest.safeParse(await readJson(request));
        if (!wish.success) throw new HttpError(400, z.prettifyError(wish.error));
        return accepted(response, wish.data.agentId, cluster.linkMode(wish.data.agentId, wish.data.mode));
      }
      case 'POST agents': {
        const wish = agentRequest.safeParse(await readJson(request));
        if (!wish.success) throw new HttpError(400, z.prettifyError(wish.error));
        return json(response, 201, await cluster.addAgent(wish.data));
      }
      case 'DELETE agents *':
        return accepted(response, name, await cluster.removeAgent(name ?? ''));
      case 'POST agents * stop':
        return accepted(response, name, cluster.stopAgent(name ?? ''));
      case 'POST agents * start':
        return accepted(response, name, cluster.startAgent(name ?? ''));
      case 'POST agents * restart':
        return accepted(response, name, await cluster.rebootAgent(name ?? ''));
      case 'POST tasks * exceed-memory':
        if (cluster.exceedMemory(name ?? '')) return json(response, 202, {});
        throw new HttpError(404, `no task ${name ?? ''} runs; GET /tasks lists them`);
      case 'POST master *': {
        if (name !== 'failover') break;
        const wish = failoverRequest.safeParse(await readJson(request));
        if (!wish.success) throw new HttpError(400, z.prettifyError(wish.error));
        await cluster.failover(wish.data);
        return json(response, 202, {});
      }
    }
    throw new HttpError(404, `there is no ${request.method} /local/${path.join('/')}`);
  }

  return (request, response) => {
    // Not URL, which throws at some of what a client may send.
    const pathname = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (!pathname.startsWith('/local/')) return false;
    const words = pathname.slice('/local/'.length).replace(/\/$/, '').split('/');
    answer(request, response, words).catch((error: unknown) => {
      const status = error instanceof HttpError || error instanceof ChangeRefused ? error.status : 500;
      if (response.headersSent) response.destroy();
      else json(response, status, { message: error instanceof Error ? error.message : String(error) });
    });
    return true;
  };
}

function accepted(response: ServerResponse, agentId: string | undefined, known: boolean): void {
  if (!known) throw new HttpError(404, `no agent has the id ${agentId ?? ''}; GET /slaves lists them`);
  json(response, 202, {});
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

async function sendArtifact(response: ServerResponse, dist: string, name: string): Promise<void> {
  if (!ARTIFACTS.has(name)) throw new HttpError(404, `there is no artifact ${name}`);
  const path = join(dist, name);
  const { size } = await stat(path);
  response.writeHead(200, { 'Content-Type': 'text/javascript', 'Content-Length': size });
  createReadStream(path)
    .on('error', (error) => response.destroy(error))
    .pipe(response);
}

/** @throws {HttpError} for a body that is too long or no JSON; an empty one is `{}`. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > MAX_BODY_BYTES) throw new HttpError(413, `the body is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(bytes);
  }
  if (length === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch (error) {
    throw new HttpError(400, `the body is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
