import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createMasterHttp } from '../../../local-cluster/master/http.ts';
import type { Master } from '../../../local-cluster/master/master.ts';
import { MAX_BACKLOG_BYTES, RecordStream } from '../../../local-cluster/master/record-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { lab } from './support/lab.ts';
import { settled } from './support/virtual-clock.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

function send(
  port: number,
  method: string,
  path: string,
  json?: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = json === undefined ? '' : JSON.stringify(json);
    const type =
      json === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
    const call = request({ port, host: '127.0.0.1', method, path, headers: { ...type, ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** A stream that stays open: what came on it so far, record by record. */
async function open(
  port: number,
  path: string,
  json: object,
): Promise<{ records: () => { type: string }[]; streamId: string; ended: () => boolean; hangUp: () => void }> {
  const body = JSON.stringify(json);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
    const call = request({ port, host: '127.0.0.1', method: 'POST', path, headers }, resolve);
    call.on('error', reject);
    call.end(body);
  });
  let text = '';
  let ended = false;
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    text += chunk;
  });
  response.on('error', () => {});
  response.on('close', () => {
    ended = true;
  });
  cleanups.push(() => response.destroy());
  return {
    records: () => split(text),
    streamId: String(response.headers['mesos-stream-id'] ?? ''),
    ended: () => ended,
    hangUp: () => response.destroy(),
  };
}

function split(text: string): { type: string }[] {
  const records: { type: string }[] = [];
  let rest = text;
  while (rest.includes('\n')) {
    const length = Number(rest.slice(0, rest.indexOf('\n')));
    const start = rest.indexOf('\n') + 1;
    if (rest.length < start + length) break;
    records.push(JSON.parse(rest.slice(start, start + length)) as { type: string });
    rest = rest.slice(start + length);
  }
  return records;
}

const SUBSCRIBE = {
  type: 'SUBSCRIBE',
  subscribe: {
    framework_info: {
      user: 'root',
      name: 'fw',
      roles: ['*'],
      checkpoint: true,
      failover_timeout: 60,
      capabilities: [{ type: 'MULTI_ROLE' }],
    },
  },
};

describe('the scheduler API', () => {
  it.each(['/api/v1/scheduler', '/master/api/v1/scheduler'])(
    'streams records on %s and takes calls with its stream id',
    async (path) => {
      const { master, clock } = await lab();
      const port = await listen(createMasterHttp(() => master));
      const stream = await open(port, path, SUBSCRIBE);
      await eventually('the records', () => stream.records().length >= 3);
      expect(stream.records().map((record) => record.type)).toEqual(['SUBSCRIBED', 'HEARTBEAT', 'OFFERS']);
      const framework_id = (stream.records()[0] as { subscribed?: { framework_id: object } }).subscribed?.framework_id;
      const answer = await send(
        port,
        'POST',
        path,
        { type: 'SUPPRESS', framework_id },
        { 'Mesos-Stream-Id': stream.streamId },
      );
      expect(answer).toMatchObject({ status: 202, body: '' });
      const unmodelled = { type: 'MESSAGE', framework_id, message: {} };
      expect((await send(port, 'POST', path, unmodelled, { 'Mesos-Stream-Id': stream.streamId })).status).toBe(202);
      expect((await send(port, 'POST', path, unmodelled)).status).toBe(400);

      stream.hangUp();
      await eventually('the records', () => master.context.frameworks.all()[0]?.link.kind === 'disconnected');
      const late = await send(
        port,
        'POST',
        path,
        { type: 'REVIVE', framework_id },
        { 'Mesos-Stream-Id': stream.streamId },
      );
      expect(late).toMatchObject({ status: 403, body: 'Framework is not subscribed' });
      await clock.advance(61_000);
      expect(master.context.frameworks.all()).toEqual([]);
    },
  );

  it('ends every stream at a failover and answers 503 until a new master leads', async () => {
    const { master } = await lab();
    let leader: Master | null = master;
    const port = await listen(createMasterHttp(() => leader));
    const stream = await open(port, '/api/v1/scheduler', SUBSCRIBE);
    const operator = await open(port, '/api/v1', { type: 'SUBSCRIBE' });
    await eventually('the records', () => operator.records().length >= 2);
    leader = null;
    master.shutdown();
    await eventually('the records', () => stream.ended() && operator.ended());
    expect(await send(port, 'GET', '/state')).toMatchObject({ status: 503, body: 'No leader elected' });
    expect((await send(port, 'POST', '/api/v1/scheduler', SUBSCRIBE)).status).toBe(503);
    expect((await send(port, 'GET', '/health')).status).toBe(200);
    expect((await send(port, 'GET', '/version')).status).toBe(200);
  });

  it.each([
    [415, { 'Content-Type': 'application/json; charset=utf-8' }],
    [406, { Accept: 'application/recordio' }],
  ])('answers %i to a SUBSCRIBE with %o', async (status, headers) => {
    const { master } = await lab();
    const port = await listen(createMasterHttp(() => master));
    expect((await send(port, 'POST', '/api/v1/scheduler', SUBSCRIBE, headers)).status).toBe(status);
    expect(master.context.frameworks.all()).toEqual([]);
  });

  it('answers the call to who expects 100 Continue, and never 100', async () => {
    const { master } = await lab();
    const port = await listen(createMasterHttp(() => master));
    let continued = 0;
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json', Expect: '100-continue' };
      const call = request({ port, host: '127.0.0.1', method: 'POST', path: '/api/v1', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.on('continue', () => {
        continued += 1;
      });
      call.on('error', reject);
      call.end(JSON.stringify({ type: 'GET_HEALTH' }));
    });
    expect([answer, continued]).toEqual([200, 0]);
  });

  const missing: [what: string, call: object, message: string][] = [
    [
      'a task without an agent',
      {
        type: 'ACCEPT',
        accept: { operations: [{ type: 'LAUNCH', launch: { task_infos: [{ name: 'x', task_id: { value: 'x' } }] } }] },
      },
      'Missing required fields: accept.operations[0].launch.task_infos[0].agent_id',
    ],
    [
      'an offer id without value',
      { type: 'DECLINE', decline: { offer_ids: [{}] } },
      'Missing required fields: decline.offer_ids[0].value',
    ],
    [
      'ids that differ',
      { ...SUBSCRIBE, framework_id: { value: 'a' } },
      "'framework_id' differs from 'subscribe.framework_info.id'",
    ],
  ];
  it.each(missing)('refuses %s', async (_what, call, message) => {
    const { master } = await lab();
    const port = await listen(createMasterHttp(() => master));
    const answer = await send(port, 'POST', '/api/v1/scheduler', { framework_id: { value: 'f' }, ...call });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain(message);
  });
});

describe('the operator API', () => {
  it('marks an agent gone', async () => {
    const { master, agents } = await lab();
    const port = await listen(createMasterHttp(() => master));
    const gone = (value: string) =>
      send(port, 'POST', '/api/v1', { type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value } } });
    expect((await gone(agents[0]?.id ?? '')).status).toBe(200);
    expect(agents[0]?.told.at(-1)).toEqual({ call: 'gone' });
    expect((await gone('nobody')).status).toBe(404);
    expect((await send(port, 'POST', '/api/v1', { type: 'MARK_AGENT_GONE' })).status).toBe(400);
  });

  it.each(['/state', '/master/state', '/slaves', '/frameworks', '/tasks', '/roles', '/state-summary'])(
    'answers GET %s',
    async (path) => {
      const { master } = await lab(2);
      const port = await listen(createMasterHttp(() => master));
      const answer = await send(port, 'GET', path);
      expect(answer.status).toBe(200);
      expect(typeof JSON.parse(answer.body)).toBe('object');
      expect((await send(port, 'POST', path, {})).status).toBe(405);
    },
  );

  it('redirects to itself, without a scheme', async () => {
    const { master } = await lab();
    const port = await listen(createMasterHttp(() => master));
    expect(await send(port, 'GET', '/redirect')).toMatchObject({
      status: 307,
      headers: { location: '//127.0.31.250:5050' },
    });
  });
});

describe('the server', () => {
  it('leaves requests to extra routes that want them', async () => {
    const { master } = await lab();
    const extra = (incoming: IncomingMessage, response: ServerResponse): boolean => {
      if (incoming.url !== '/local/processes') return false;
      response.end('[]');
      return true;
    };
    const port = await listen(createMasterHttp(() => master, extra));
    expect((await send(port, 'GET', '/local/processes')).body).toBe('[]');
    expect((await send(port, 'GET', '/local/nothing')).status).toBe(404);
  });

  it('cuts a reader off that does not read', async () => {
    let stream: RecordStream | undefined;
    let response: ServerResponse | undefined;
    const port = await listen(
      createServer((_request, answer) => {
        response = answer;
        stream = new RecordStream(answer, {});
      }),
    );
    const reader: Socket = connect(port, '127.0.0.1', () => reader.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    reader.pause();
    reader.on('error', () => {});
    cleanups.push(() => reader.destroy());
    await eventually('the records', () => stream !== undefined);
    const record = { text: 'x'.repeat(1024 * 1024) };
    let written = 0;
    while (response?.destroyed === false && written < 64) {
      stream?.write(record);
      written += 1;
      await settled();
    }
    expect(response?.destroyed).toBe(true);
    expect(written * 1024 * 1024).toBeLessThan(4 * MAX_BACKLOG_BYTES);
  });
});

describe('the endpoints of before the v1 API', () => {
  it('write and read the schedule, and bring machines down and up', async () => {
    const { master, clock } = await lab();
    const port = await listen(createMasterHttp(() => master));
    const machines = [{ hostname: '127.0.31.1', ip: '127.0.31.1' }];
    // As text: JavaScript cannot write such numbers exactly.
    const unavailability = { start: { nanoseconds: '1800000000000000000' } };
    const schedule = { windows: [{ machine_ids: machines, unavailability }] };
    expect((await send(port, 'POST', '/maintenance/schedule', schedule)).status).toBe(200);
    expect(JSON.parse((await send(port, 'GET', '/master/maintenance/schedule')).body)).toEqual({
      windows: [{ machine_ids: machines, unavailability: { start: { nanoseconds: 1_800_000_000_000_000_000 } } }],
    });
    expect((await send(port, 'POST', '/machine/down', machines)).status).toBe(200);
    await clock.advance(0);
    expect(master.agents()).toEqual([]);
    const status = await send(port, 'GET', '/maintenance/status');
    expect(JSON.parse(status.body)).toEqual({ down_machines: machines });
    expect((await send(port, 'POST', '/machine/down', machines)).status).toBe(400);
    expect((await send(port, 'POST', '/machine/up', machines)).status).toBe(200);
    expect((await send(port, 'GET', '/machine/up')).status).toBe(405);
    expect((await send(port, 'GET', '/maintenance/schedule')).body).toBe('{}');
  });

  it('want what they need', async () => {
    const { master } = await lab();
    const port = await listen(createMasterHttp(() => master));
    expect(await send(port, 'POST', '/machine/down', [{ hostname: 7 }])).toMatchObject({ status: 400 });
    expect(await send(port, 'POST', '/api/v1', { type: 'DRAIN_AGENT' })).toMatchObject({
      status: 400,
      body: "Failed to validate master::Call: Expecting 'drain_agent' to be present",
    });
  });
});

describe('a principal', () => {
  const basic = (text: string): Record<string, string> => ({
    Authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });
  const credentials = [{ principal: 'fw', secret: 'a:b', operator: false }];

  it('may use the scheduler API and nothing else, if it is no operator', async () => {
    const { master } = await lab(1, { credentials });
    const port = await listen(createMasterHttp(() => master));
    const call = { type: 'GET_AGENTS' };
    expect(await send(port, 'POST', '/api/v1', call, basic('fw:a:b'))).toMatchObject({ status: 403, body: '' });
    expect(await send(port, 'GET', '/state', undefined, basic('fw:a:b'))).toMatchObject({ status: 403 });
    expect(await send(port, 'GET', '/health')).toMatchObject({ status: 200 });
    const revive = { type: 'REVIVE', framework_id: { value: 'f' } };
    expect(await send(port, 'POST', '/api/v1/scheduler', revive, basic('fw:a:b'))).toMatchObject({
      status: 400,
      body: 'Framework cannot be found',
    });
  });

  it.each(['fw:a', 'fw', 'fw:a:b:c', ':a:b', ''])('is not known by %j', async (text) => {
    const { master } = await lab(1, { credentials });
    const port = await listen(createMasterHttp(() => master));
    expect(await send(port, 'GET', '/maintenance/schedule', undefined, basic(text))).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="mesos-master-readwrite"' },
    });
  });

  it('owns its framework: without a principal in FrameworkInfo later calls are refused, as in Mesos', async () => {
    const { master } = await lab(1, { credentials });
    const port = await listen(createMasterHttp(() => master));
    const framework_info = { user: 'root', name: 'f', roles: ['*'], capabilities: [{ type: 'MULTI_ROLE' }] };
    const headers = basic('fw:a:b');
    const stream = await new Promise<IncomingMessage>((resolve, reject) => {
      const accept = { 'Content-Type': 'application/json', Accept: 'application/json', ...headers };
      const options = { port, host: '127.0.0.1', method: 'POST', path: '/api/v1/scheduler', headers: accept };
      const subscribe = request(options, resolve);
      subscribe.on('error', reject);
      subscribe.end(JSON.stringify({ type: 'SUBSCRIBE', subscribe: { framework_info } }));
    });
    stream.on('error', () => undefined);
    cleanups.push(() => stream.destroy());
    const id = master.context.frameworks.all()[0]?.id;
    const call = { type: 'REVIVE', framework_id: { value: id } };
    const stream_id = { 'Mesos-Stream-Id': String(stream.headers['mesos-stream-id']) };
    expect(await send(port, 'POST', '/api/v1/scheduler', call, { ...headers, ...stream_id })).toMatchObject({
      status: 400,
      body: "Authenticated principal 'fw' does not match principal '' set in `FrameworkInfo`",
    });
  });
});
