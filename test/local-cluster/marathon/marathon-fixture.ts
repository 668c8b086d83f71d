/** A Marathon on a stand-in master, with what a test needs to talk to it; everything is closed after each test. */
import { onTestFinished } from 'vitest';
import type { Probe } from '../../../local-cluster/marathon/health-checks.ts';
import { Marathon } from '../../../local-cluster/marathon/marathon.ts';
import { ManualTimers, settled } from './manual-timers.ts';
import { type StandInAgent, StandInLeader, StandInMaster } from './stand-in-master.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of any shape
  readonly json: any;
  readonly text: string;
}

export interface Fixture {
  readonly master: StandInMaster;
  readonly leader: StandInLeader;
  readonly marathon: Marathon;
  readonly timers: ManualTimers;
  request(method: string, path: string, body?: unknown): Promise<Reply>;
  /** Create an app from some fields and the defaults of a test, and let it start. */
  create(fields: Record<string, unknown>): Promise<Reply>;
  tasks(app: string): Promise<Reply['json'][]>;
}

const AGENTS: readonly StandInAgent[] = [
  { name: 'S1', ip: '127.0.33.1' },
  { name: 'S2', ip: '127.0.33.2' },
  { name: 'S3', ip: '127.0.33.3' },
];

export async function useMarathon(agents: readonly StandInAgent[] = AGENTS, probe?: Probe): Promise<Fixture> {
  const master = new StandInMaster(agents);
  const leader = new StandInLeader(master);
  const timers = new ManualTimers();
  let id = 0;
  let seed = 1;
  const marathon = new Marathon({
    ip: '127.0.0.1',
    port: 0,
    leader,
    user: 'tester',
    timers,
    // A small linear congruential generator: any port, but the same ones in each run.
    random: () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    },
    newId: () => {
      id += 1;
      return `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`;
    },
    ...(probe === undefined ? {} : { probe }),
  });
  await marathon.start();
  onTestFinished(() => marathon.stop());
  await timers.advance(1_000);
  const request = async (method: string, path: string, body?: unknown): Promise<Reply> => {
    const response = await fetch(`${marathon.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null };
  };
  return {
    master,
    leader,
    marathon,
    timers,
    request,
    create: async (fields) => {
      const reply = await request('POST', '/v2/apps', { id: '/app', cmd: 'sleep 100', cpus: 0.1, mem: 16, ...fields });
      await timers.advance(1_000);
      return reply;
    },
    tasks: async (app) => (await request('GET', `/v2/apps${app}/tasks`)).json.tasks,
  };
}

/** Read a Marathon's event stream; `types` filters there. */
export async function useEvents(
  marathon: Marathon,
  types: readonly string[] = [],
): Promise<{ events: Reply['json'][]; raw: () => string }> {
  const query = types.map((type) => `event_type=${type}`).join('&');
  const abort = new AbortController();
  const response = await fetch(`${marathon.url}/v2/events?${query}`, {
    headers: { accept: 'text/event-stream' },
    signal: abort.signal,
  });
  const events: Reply['json'][] = [];
  let raw = '';
  let rest = '';
  const reader = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const text = decoder.decode(chunk, { stream: true });
      raw += text;
      rest += text;
      const frames = rest.split('\r\n\r\n');
      rest = frames.pop() ?? '';
      for (const frame of frames) {
        const data = frame.split('\r\n').find((line) => line.startsWith('data: '));
        if (data !== undefined) events.push(JSON.parse(data.slice(6)));
      }
    }
  })().catch(() => undefined);
  onTestFinished(async () => {
    abort.abort();
    await reader;
  });
  await settled();
  return { events, raw: () => raw };
}
