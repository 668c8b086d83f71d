/** What is gathered, from real sockets: servers that answer, refuse, say nothing, or are not there. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { basicAuthorization } from '../../../framework/mesos-http-client/auth/authorization.ts';
import { Asker, clockOf } from '../../../scheduler/doctor/gather/ask.ts';
import { atATime } from '../../../scheduler/doctor/gather/bounded.ts';
import { gatherMesos } from '../../../scheduler/doctor/gather/mesos.ts';
import { gatherNames } from '../../../scheduler/doctor/gather/names.ts';
import { gatherClocks, gatherNodes } from '../../../scheduler/doctor/gather/nodes.ts';
import { gatherZooKeeper, readSrvr } from '../../../scheduler/doctor/gather/zookeeper.ts';

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function listening(server: Server | ReturnType<typeof createTcpServer>, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  const port = await listening(server);
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

/** Takes connections, and says nothing. */
async function silence(): Promise<number> {
  const open = new Set<Socket>();
  const server = createTcpServer((socket) => open.add(socket));
  const port = await listening(server);
  ends.push(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return port;
}

function asker(options: Partial<ConstructorParameters<typeof Asker>[0]> = {}): Asker {
  const made = new Asker({ timeoutMs: 5_000, ...options });
  ends.push(() => made.close());
  return made;
}

const DOCUMENTS: Readonly<Record<string, unknown>> = {
  '/version': { version: '1.11.0', git_sha: 'x' },
  '/frameworks': {
    frameworks: [
      { id: 'f-1', name: 'nodemesh', roles: ['a', 'b'], active: true },
      { id: 'f-2', name: 'old', role: '*' },
    ],
  },
  '/slaves': {
    slaves: [
      {
        id: 'S1',
        hostname: 'node1',
        pid: 'slave(1)@10.0.0.1:5051',
        resources: { ports: '[1025-2180, 2182-3887]', cpus: 4 },
      },
      { id: 'S2', hostname: 'node2', resources: {} },
    ],
  },
  '/roles': {
    roles: [
      { name: 'nodemesh', weight: 2, quota: { limit: { cpus: 8 }, guarantee: {} } },
      { name: 'slave_public', weight: 1 },
    ],
  },
};

describe('Mesos', () => {
  it('is asked with the login, also where a master sends on to the leader', async () => {
    const seen: string[] = [];
    const leader = await serve((request, response) => {
      seen.push(`${request.url} ${request.headers.authorization}`);
      response.end(JSON.stringify(DOCUMENTS[request.url ?? '']));
    });
    const follower = await serve((request, response) => {
      if (request.url === '/version') response.end(JSON.stringify(DOCUMENTS['/version']));
      else response.writeHead(307, { location: `${leader}${request.url}` }).end();
    });
    const facts = await gatherMesos(asker({ authorization: basicAuthorization('bWU6aXQ=') }), [
      'http://127.0.0.1:1',
      follower,
    ]);
    expect(facts).toMatchObject({
      version: { kind: 'answered', value: '1.11.0', clock: { plusMinusMs: expect.any(Number) } },
      frameworks: {
        value: [
          { id: 'f-1', roles: ['a', 'b'], connected: true },
          { id: 'f-2', roles: ['*'] },
        ],
      },
      agents: {
        value: [
          {
            agentId: 'S1',
            url: 'http://10.0.0.1:5051',
            ports: [
              [1025, 2180],
              [2182, 3887],
            ],
          },
          { agentId: 'S2', url: null, ports: [] },
        ],
      },
      roles: {
        value: [
          { name: 'nodemesh', weight: 2, cpusLimit: 8 },
          { name: 'slave_public', cpusLimit: null },
        ],
      },
    });
    expect(seen.sort()).toEqual(['/frameworks', '/roles', '/slaves'].map((path) => `${path} Basic bWU6aXQ=`));
  });

  it('refuses one question and answers the others', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/slaves') response.writeHead(403).end();
      else if (request.url === '/roles') response.end('<html>');
      else response.end(JSON.stringify(DOCUMENTS[request.url ?? '']));
    });
    const facts = await gatherMesos(asker(), [url]);
    expect(facts).toMatchObject({
      frameworks: { kind: 'answered' },
      agents: { kind: 'refused', status: 403 },
      roles: { kind: 'failed' },
    });
  });

  it('that says nothing is waited for so long and no longer', async () => {
    const begun = performance.now();
    const facts = await gatherMesos(asker({ timeoutMs: 300 }), [`http://127.0.0.1:${await silence()}`]);
    expect(facts.version).toMatchObject({ kind: 'failed', reason: 'no answer in time' });
    expect(facts.agents.kind).toBe('failed');
    expect(performance.now() - begun).toBeLessThan(3_000);
  });
});

it('a login that never ends is waited for no longer', async () => {
  const never = { principal: null, header: () => new Promise<string>(() => undefined), renewed: async () => null };
  const facts = await gatherMesos(asker({ authorization: never, timeoutMs: 100 }), ['http://127.0.0.1:1']);
  expect(facts.version).toMatchObject({ kind: 'failed', reason: 'no answer in time, or no login' });
});

describe('clocks', () => {
  it('are read of the header Date, within what it can say', () => {
    const at = Date.UTC(2026, 0, 1, 12);
    expect(clockOf(new Date(at).toUTCString(), at + 400, at + 600)).toEqual({ aheadMs: 0, plusMinusMs: 600 });
    expect(clockOf(new Date(at + 60_000).toUTCString(), at + 500, at + 500)).toEqual({
      aheadMs: 60_000,
      plusMinusMs: 500,
    });
    expect(clockOf(undefined, at, at)).toBe(null);
    expect(clockOf('yesterday', at, at)).toBe(null);
  });

  it('of agents are those that answer at all', async () => {
    const url = await serve((_request, response) => response.writeHead(401, { date: new Date(0).toUTCString() }).end());
    const agents = [url, `http://127.0.0.1:${await silence()}`, null].map((each, n) => ({
      agentId: `S${n}`,
      hostname: `n${n}`,
      url: each,
      ports: [],
    }));
    const clocks = await gatherClocks(asker({ timeoutMs: 1_000 }), agents);
    expect(clocks.map(({ hostname, clock }) => [hostname, clock === null ? null : Math.sign(clock.aheadMs)])).toEqual([
      ['n0', -1],
      ['n1', null],
    ]);
  });
});

describe('ZooKeeper', () => {
  it('is asked server by server, with no session', async () => {
    const asked: string[] = [];
    const server = createTcpServer((socket) => {
      socket.on('data', (piece) => {
        asked.push(String(piece));
        socket.end('Latency min/avg/max: 0/2/30\nMode: standalone\n');
      });
    });
    const port = await listening(server);
    ends.push(() => void server.close());
    const servers = [port, await silence(), 1].map((each) => ({ host: '127.0.0.1', port: each }));
    const facts = await gatherZooKeeper('state', { servers }, 1_000);
    expect(facts.servers.map(({ answer }) => answer)).toMatchObject([
      { kind: 'serving', mode: 'standalone', averageMs: 2 },
      { kind: 'unreachable', reason: 'no answer in time' },
      { kind: 'unreachable', reason: expect.stringContaining('connection refused') },
    ]);
    expect(asked).toEqual(['srvr']);
  });

  it.each([
    [
      'Zookeeper version: 3.9\nLatency min/avg/max: 0/1.25/30\nMode: follower\n',
      { kind: 'serving', mode: 'follower', averageMs: 1.25, mostMs: 30, tookMs: 5 },
    ],
    ['', { kind: 'not-serving' }],
    ['This ZooKeeper instance is not currently serving requests\n', { kind: 'not-serving' }],
    ['srvr is not executed because it is not in the whitelist.\n', { kind: 'silent', tookMs: 5 }],
  ])('reads %j', (text, answer) => {
    expect(readSrvr(text, 5)).toMatchObject(answer);
  });
});

it('names are looked up, addresses are not', async () => {
  const names = await gatherNames(
    [
      ['localhost', 'Marathon'],
      ['127.0.0.1', 'x'],
      ['[::1]', 'x'],
      ['no.such.invalid', 'the Mesos master'],
    ],
    500,
  );
  expect(names.map(({ name, usedFor, answer }) => [name, usedFor, answer.kind])).toEqual([
    ['leader.mesos', null, 'not-found'],
    ['localhost', 'Marathon', 'found'],
    ['no.such.invalid', 'the Mesos master', 'not-found'],
  ]);
});

it('proxies are asked where there are some, and the ports are looked at where there are none', async () => {
  const admin = createServer((request, response) => {
    response.end(
      JSON.stringify(
        request.url === '/admin/metrics.json?q=proc' ? { open_files_limit: 1_024, cpu_periods: 9, uptime_ms: 1 } : {},
      ),
    );
  });
  const port = await listening(admin, '127.0.36.7');
  ends.push(() => void admin.close());
  const node = {
    agentId: 'S1',
    hostname: 'n1',
    ip: '127.0.36.7',
    state: 'healthy',
    reason: null,
    tableAgeSeconds: 1,
    hasTask: true,
    isInner: false,
  };
  const without = { ...node, agentId: 'S2', state: 'pending', hasTask: false };
  const facts = await gatherNodes(
    asker(),
    [node, without, { ...without, state: 'excluded' }, { ...node, isInner: true }],
    { ports: { out: 1, in: 2, admin: port, edge: null } },
    300,
  );
  expect(facts).toMatchObject([
    { proxy: { value: { openFilesLimit: 1_024, periods: 9, throttledPeriods: null } }, taken: [] },
    { proxy: null, taken: [port] },
    { proxy: null, taken: [] },
    { proxy: null, taken: [] },
  ]);
});

it('many are asked some at a time, and each result has its place', async () => {
  let now = 0;
  let most = 0;
  const results = await atATime(3, [1, 2, 3, 4, 5, 6, 7], async (each) => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
    return each * 10;
  });
  expect(results).toEqual([10, 20, 30, 40, 50, 60, 70]);
  expect(most).toBe(3);
});
