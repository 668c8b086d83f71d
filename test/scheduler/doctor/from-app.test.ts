/** How an app reaches its node's proxy: its network, the address, and what was tried. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AppFacts, addressingOf, judgeApp, type NetworkMode } from '../../../scheduler/doctor/from-app.ts';
import { gatherApp, modeOf } from '../../../scheduler/doctor/gather/from-app.ts';
import { FakeMarathon } from '../support/fake-marathon.ts';

const CONFIG = { ports: { out: 4140, in: 4141, admin: 9990, edge: null }, bind: 'node' } as const;

describe('the network of an app', () => {
  it.each<[string, Parameters<typeof modeOf>[0], NetworkMode]>([
    ['none at all', {}, 'host'],
    ['host', { networks: [{ mode: 'host' }] }, 'host'],
    ['bridge', { networks: [{ mode: 'container/bridge' }] }, 'bridge'],
    ['an overlay', { networks: [{ mode: 'container' }] }, 'container'],
    ['host, before 1.5', { container: { docker: { network: 'HOST' } } }, 'host'],
    ['bridge, before 1.5', { container: { docker: { network: 'BRIDGE' } } }, 'bridge'],
    ['an overlay, before 1.5', { container: { docker: { network: 'USER' } } }, 'container'],
    ['an address of its own, before 1.5', { ipAddress: {} }, 'container'],
  ])('%s', (_, app, mode) => {
    expect(modeOf(app)).toBe(mode);
  });

  it.each<[NetworkMode, 'node' | 'config', string]>([
    ['host', 'node', '$HOST:4140'],
    ['host', 'config', '127.0.0.1:4140 or $HOST:4140'],
    ['bridge', 'config', '$HOST:4140'],
    ['container', 'node', '$HOST:4140'],
    ['other', 'node', ['$', '{MESOS_AGENT_ENDPOINT%:*}:4140'].join('')],
  ])('%s, with --bind %s: the proxy is at %s', (mode, bind, address) => {
    expect(addressingOf(mode, 4140, bind).address).toBe(address);
  });
});

describe('what is said of it', () => {
  const place = {
    taskId: 'web.1',
    host: '10.0.0.7',
    ip: '10.0.0.7',
    answer: { kind: 'ours' },
    hostLeadsTo: null,
  } as const;
  const app = (rest: Partial<AppFacts> = {}): AppFacts => ({
    id: '/web',
    kind: 'app',
    mode: 'bridge',
    places: [place],
    leftOut: 0,
    ...rest,
  });
  const said = (facts: AppFacts | null): string =>
    judgeApp('/web', facts, CONFIG)
      .map(({ severity, subject, what, why, todo }) => `${severity} ${subject}: ${what}; ${why}; ${todo}`)
      .join('\n');

  it('the address, who answered, and what was not tried', () => {
    const text = said(app());
    expect(text).toMatch(/^note app \/web: its network is bridge: the proxy of its node is at \$HOST:4140/);
    expect(text).toMatch(/^ok 10\.0\.0\.7: the proxy answers at port 4140/m);
    expect(text).toMatch(/^unknown web\.1: from inside the task it was not tried;.*curl -sI .*http:\/\/\$HOST:4140\//m);
  });

  it.each<[string, AppFacts | null, RegExp]>([
    ['no such app', null, /^error \/web: there is no such app.*nodemesh services/],
    ['no instance', app({ places: [] }), /^unknown \/web: nothing could be tried/m],
    [
      'nobody there',
      app({ places: [{ ...place, answer: { kind: 'failed', reason: 'no route' } }] }),
      /^error 10\.0\.0\.7: the proxy does not answer at port 4140; no route; nodemesh why 10\.0\.0\.7/m,
    ],
    [
      'somebody else',
      app({ places: [{ ...place, answer: { kind: 'other', status: 404 } }] }),
      /^error .*something else.*status 404.*ss -ltnp/m,
    ],
    [
      'a hostname that leads elsewhere',
      app({ places: [{ ...place, host: 'n7', hostLeadsTo: ['127.0.1.1'] }] }),
      /^warning n7: HOST is a name that leads to 127\.0\.1\.1, and not to the agent \(10\.0\.0\.7\)/m,
    ],
    [
      'a hostname that leads nowhere',
      app({ places: [{ ...place, host: 'n7', hostLeadsTo: [] }] }),
      /^warning n7: HOST is a name that this machine does not find/m,
    ],
    [
      'a container on a public agent',
      app({ places: [{ ...place, answer: { kind: 'inside' } }] }),
      /^error 10\.0\.0\.7: the app does not reach the proxy of this node;.*--public-listeners edge.*--public-listeners all/m,
    ],
    [
      'host mode on a public agent',
      app({ mode: 'host', places: [{ ...place, answer: { kind: 'inside' } }] }),
      /^unknown 10\.0\.0\.7: this node is a public agent: the proxy is at 127\.0\.0\.1:4140 there/m,
    ],
    ['many agents', app({ leftOut: 5 }), /^unknown \/web: its instances on 5 more agents/m],
  ])('%s', (_, facts, words) => {
    expect(said(facts)).toMatch(words);
  });
});

describe('what is gathered of it', () => {
  let marathon: FakeMarathon;
  let proxy: Server;
  let out: number;
  beforeEach(async () => {
    marathon = await FakeMarathon.start();
    proxy = createServer((request, response) => {
      expect(request.headers.host).toBe('doctor.nodemesh.invalid');
      response.writeHead(502, { 'l5d-err': 'unknown-name' }).end();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.36.1', resolve));
    out = (proxy.address() as AddressInfo).port;
  });
  afterEach(async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
    await marathon.stop();
  });

  const gather = (id: string): Promise<AppFacts | null> =>
    gatherApp(id, {
      marathons: [
        { prefix: 'io.l5d.marathon', url: marathon.url, access: {} },
        { prefix: 'eu', url: marathon.url, access: {} },
      ],
      agentIp: (host) => (host === 'node1' ? '127.0.36.1' : null),
      isInner: (host) => host === '10.0.0.9',
      instances: (name) => (name === '#kafka/broker' ? [{ instance: 'b.1', agentAddress: '127.0.36.1' }] : []),
      ...{ out, timeoutMs: 1_000 },
    });

  it('an app, by its id with or without a slash, and by the name of its Marathon', async () => {
    marathon.put(
      'team/web',
      [
        { id: 'w.1', host: '127.0.36.1' },
        { id: 'w.2', host: '127.0.36.1' },
        { id: 'w.3', host: '127.0.36.2' },
        { id: 'w.4', state: 'TASK_STAGING' },
      ],
      { networks: [{ mode: 'container/bridge' }] },
    );
    for (const id of ['/team/web', 'team/web', '#eu/team/web']) {
      expect(await gather(id)).toEqual({
        ...{ id, kind: 'app', mode: 'bridge', leftOut: 0 },
        places: [
          { taskId: 'w.1', host: '127.0.36.1', ip: null, answer: { kind: 'ours' }, hostLeadsTo: null },
          {
            taskId: 'w.3',
            host: '127.0.36.2',
            ip: null,
            answer: { kind: 'failed', reason: expect.stringContaining('refused') },
            hostLeadsTo: null,
          },
        ],
      });
    }
  });

  it('an app on a public agent, whose proxy nobody else reaches', async () => {
    marathon.put('www', [{ id: 'www.1', host: '10.0.0.9' }]);
    expect(await gather('/www')).toMatchObject({ places: [{ answer: { kind: 'inside' } }] });
  });

  it('a pod', async () => {
    const instances = [{ id: 'p.instance-1', agentHostname: 'node1', agentId: 'S1', containers: [] }];
    marathon.pods?.set('pod', {
      id: '/pod',
      spec: { networks: [{ mode: 'container', name: 'dcos' }], containers: [] },
      instances,
    });
    expect(await gather('/pod')).toMatchObject({
      kind: 'pod',
      mode: 'container',
      places: [{ taskId: 'p.instance-1', host: 'node1', ip: '127.0.36.1', answer: { kind: 'ours' } }],
    });
  });

  it('a service of another framework, from the table', async () => {
    expect(await gather('#kafka/broker')).toMatchObject({
      kind: 'other',
      mode: 'other',
      places: [{ taskId: 'b.1', answer: { kind: 'ours' } }],
    });
  });

  it('nothing of Marathon but its apps and pods, whatever the id says', async () => {
    const asked: string[] = [];
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      asked.push(request.url ?? '');
      response.writeHead(404).end();
    };
    marathon.script('/', answer, answer);
    for (const id of ['/../../secrets/v1/x', '#eu/../v2/leader', '/./../info', '/a/../../../x', '/..']) {
      expect(await gather(id)).toBe(null);
    }
    expect(asked).toEqual([]);
    expect(await gather('/%2e%2e/x?y=z#..')).toBe(null);
    expect(asked.map((url) => url.split('?', 1)[0])).toEqual([
      '/v2/apps/%252e%252e/x%3Fy%3Dz%23..',
      '/v2/pods/%252e%252e/x%3Fy%3Dz%23..::status',
    ]);
  });

  it('nothing, where there is nothing, or where Marathon does not answer', async () => {
    expect(await gather('/nix')).toBe(null);
    marathon.script('/v2', (_request, response) => void response.writeHead(500).end());
    expect(await gather('/web')).toBe(null);
  });
});
