/** The edge router of a public agent, in a mesh of two proxies: who is served there, and what is believed of a client. */
import { expect, test } from 'vitest';
import type { Endpoint, MeshDocument, Service, ServiceSettings } from '../../../agent-proxy/control/contract.ts';
import { type Backend, useBackend } from '../../fixtures/backend.ts';
import { endpoint, helloFrame, snapshotFrames, useFakeScheduler } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { type RunningProxy, useProxy } from '../../fixtures/proxy.ts';

type Exposed = ServiceSettings['exposed'][number];

function exposed(name: string, ...places: (Partial<Exposed> & Pick<Exposed, 'host'>)[]): MeshDocument {
  const whole = places.map((place) => ({
    ...{ path: '/', port: 'http', redirectToHttps: false, sticky: false },
    ...place,
  }));
  return { kind: 'settings', name, settings: { off: false, vips: [], exposed: whole, policies: [], slowStartMs: 0 } };
}

interface EdgeMesh {
  readonly gate: RunningProxy;
  readonly app: (name: string, answer?: Parameters<typeof useBackend>[1]) => Promise<Backend>;
  readonly instances: (name: string, count: number) => Promise<{ name: string; backend: Backend }[]>;
  readonly publish: (...documents: MeshDocument[]) => Promise<void>;
}

/** A public agent without instances, and a private one with all of them. */
async function useEdge(): Promise<EdgeMesh> {
  const scheduler = await useFakeScheduler();
  const gate = await useProxy({ ip: '127.0.36.1', agentId: 'agent-1', isPublic: true, schedulers: [scheduler.url] });
  const inner = await useProxy({ ip: '127.0.36.2', agentId: 'agent-2', schedulers: [scheduler.url] });
  await eventually('both proxies subscribe', () => scheduler.streams.size === 2);
  const agents = [gate, inner].map(({ ip, incomingPort }, index) => {
    return { agentId: `agent-${index + 1}`, address: ip, incomingPort, ready: true };
  });
  const services: Service[] = [];
  let revision = 0;
  return {
    gate,
    async app(name, options) {
      const http = await useBackend(name, options);
      const admin = await useBackend(`${name}'s admin`);
      const ports: Endpoint['ports'] = [
        { name: 'http', port: http.port },
        { name: 'admin', port: admin.port },
      ];
      const where = { agentId: 'agent-2', agentAddress: '127.0.36.2' };
      services.push({
        name,
        endpoints: [endpoint({ service: name, instance: `${name}.1`, port: http.port, ports, ...where })],
      });
      return http;
    },
    async instances(name, count) {
      const made = await Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const own = `${name}.${index}`;
          return { name: own, backend: await useBackend(own) };
        }),
      );
      const where = { agentId: 'agent-2', agentAddress: '127.0.36.2' };
      const endpoints = made.map((one) =>
        endpoint({ service: name, instance: one.name, port: one.backend.port, ...where }),
      );
      services.push({ name, endpoints });
      return made;
    },
    async publish(...documents) {
      revision += 1;
      const frames = snapshotFrames(1, revision, services, agents, documents);
      scheduler.opening = [helloFrame(), ...frames];
      scheduler.send(...frames);
      await eventually('both proxies have the table', () =>
        ['agent-1', 'agent-2'].every(
          (id) => scheduler.reports.findLast(({ agentId }) => agentId === id)?.revision === revision,
        ),
      );
    },
  };
}

const LURES = {
  'l5d-dtab': '/marathonId/web => /#/io.l5d.marathon/hidden ; /marathonId/hidden => /#/io.l5d.marathon/hidden',
  'l5d-ctx-dtab': '/svc => /#/io.l5d.marathon/hidden',
  'Dtab-Local': '/svc => /#/io.l5d.marathon/hidden',
  'l5d-dst-service': '/svc/hidden',
  'l5d-nodemesh-bound': '/#/io.l5d.marathon/hidden',
  'l5d-nodemesh-instance': 'hidden.1',
  'l5d-nodemesh-peer': 'a-peer-key-for-the-tests',
  'l5d-debug': 'true',
  'l5d-ctx-deadline': '1 2',
  'X-Forwarded-Host': 'hidden',
};

test('an exposed app is served by its host, any other is not, whatever a client sends', async () => {
  const mesh = await useEdge();
  const web = await mesh.app('web');
  const hidden = await mesh.app('hidden');
  await mesh.publish(exposed('web', { host: 'WWW.example.com' }));

  for (const host of ['www.example.com', 'www.EXAMPLE.com.:4143']) {
    for (const headers of [{}, LURES]) {
      const answer = await send(`${mesh.gate.edge}/path?q=1`, { headers: { Host: host, ...headers } });
      expect(answer).toMatchObject({ status: 200, body: 'web' });
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('l5d-'))).toEqual([]);
    }
  }
  for (const host of ['web', 'hidden', 'hidden.marathon.mesos', 'example.com', '127.0.36.1:4143', 'svc']) {
    for (const headers of [{}, LURES]) {
      const answer = await send(`${mesh.gate.edge}/`, { headers: { Host: host, ...headers } });
      expect(answer.status).toBe(404);
      expect(answer.body).toBe(
        `not-exposed: host '${host}': no app is exposed under this host and path; an app is exposed by labels: HAPROXY_0_VHOST, or NODEMESH_EXPOSE\n`,
      );
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('l5d-'))).toEqual([]);
    }
  }
  expect(hidden.received).toEqual([]);
  expect(web.received.length).toBe(4);
});

test('the app learns from the proxy alone whom a request comes for', async () => {
  const mesh = await useEdge();
  const web = await mesh.app('web');
  await mesh.publish(exposed('web', { host: 'www' }));
  await send(`${mesh.gate.edge}/`, {
    headers: {
      ...LURES,
      Host: 'www',
      'X-Forwarded-For': '10.9.8.7',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Prefix': '/x',
      'X-Real-IP': '10.9.8.7',
      Forwarded: 'for=10.9.8.7',
      'X-Other': 'kept',
    },
  });
  const headers = web.received[0]?.headers ?? {};
  expect(headers).toMatchObject({
    host: 'www',
    'x-other': 'kept',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'www',
    'x-forwarded-port': new URL(mesh.gate.edge).port,
    'l5d-dst-service': '/marathonId/web',
  });
  for (const name of ['x-forwarded-prefix', 'x-real-ip', 'forwarded', 'dtab-local', 'l5d-ctx-dtab', 'l5d-debug']) {
    expect(headers[name]).toBeUndefined();
  }
});

test('the longest path decides, and a port by name', async () => {
  const mesh = await useEdge();
  await mesh.app('web');
  await mesh.app('team/api');
  await mesh.publish(
    exposed('web', { host: 'www' }, { host: 'ops', path: '/web', port: 'admin' }),
    exposed('team/api', { host: 'www', path: '/api' }),
  );
  const ask = async (host: string, path: string) => {
    const { status, body } = await send(mesh.gate.edge + path, { headers: { Host: host } });
    return status === 200 ? body : String(status);
  };
  expect(await ask('www', '/')).toBe('web');
  expect(await ask('www', '/api')).toBe('team/api');
  expect(await ask('www', '/api/v1?x=/')).toBe('team/api');
  expect(await ask('www', '/other?x=/api')).toBe('web');
  expect(await ask('ops', '/web/x')).toBe("web's admin");
  expect(await ask('ops', '/')).toBe('404');
});

test('an override in the namespace holds at the edge, and labels are followed', async () => {
  const mesh = await useEdge();
  await mesh.app('web');
  await mesh.app('web-v2');
  const ask = async () => {
    const { status, body } = await send(`${mesh.gate.edge}/`, { headers: { Host: 'www' } });
    return status === 200 ? body : String(status);
  };
  await mesh.publish(exposed('web', { host: 'www' }));
  expect(await ask()).toBe('web');
  const dtab = '/marathonId => /#/io.l5d.marathon ; /marathonId/web => /#/io.l5d.marathon/web-v2';
  await mesh.publish(exposed('web', { host: 'www' }), { kind: 'dtab', name: 'default', version: '2', dtab });
  expect(await ask()).toBe('web-v2');
  await mesh.publish();
  expect(await ask()).toBe('404');
});

test('a redirect to https keeps host and target, and the method of what is more than a look', async () => {
  const mesh = await useEdge();
  await mesh.app('web');
  await mesh.publish(exposed('web', { host: 'www', redirectToHttps: true }));
  const of = (method: string) => send(`${mesh.gate.edge}/a/b?c=d`, { method, headers: { Host: 'WWW:8080', ...LURES } });
  expect(await of('GET')).toMatchObject({ status: 301, headers: { location: 'https://www/a/b?c=d' }, body: '' });
  expect(await of('POST')).toMatchObject({ status: 308, headers: { location: 'https://www/a/b?c=d' } });
});

test('an error says what kind it is, and nothing of instances and addresses', async () => {
  const mesh = await useEdge();
  const web = await mesh.app('web');
  await mesh.publish(exposed('web', { host: 'www' }));
  await web.kill();
  const answer = await send(`${mesh.gate.edge}/`, { headers: { Host: 'www' } });
  expect(answer).toMatchObject({ status: 502, body: 'refused: the connection was refused or could not be made\n' });
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('l5d-'))).toEqual([]);
  expect((await send(`${mesh.gate.edge}/`, { method: 'TRACE', headers: { Host: 'www' } })).status).toBe(501);
});

test('a sticky app keeps its clients by a cookie, as long as their instance is there', async () => {
  const mesh = await useEdge();
  const backends = await mesh.instances('web', 4);
  const place = { host: 'www', path: '/shop', sticky: true };
  await mesh.publish(exposed('web', place));
  const ask = (cookie?: string) =>
    send(`${mesh.gate.edge}/shop`, { headers: { Host: 'www', ...(cookie === undefined ? {} : { Cookie: cookie }) } });
  const first = await ask();
  const [set = ''] = first.headers['set-cookie'] ?? [];
  expect(set).toMatch(/^nodemesh-[0-9a-f]{8}=[0-9a-f]{16}; Path=\/shop; HttpOnly; SameSite=Lax$/);
  const cookie = `a=b; ${set.split(';')[0]}; c=d`;
  for (let index = 0; index < 20; index += 1) {
    const again = await ask(cookie);
    expect(again).toMatchObject({ status: 200, body: first.body });
    expect(again.headers['set-cookie']).toBeUndefined();
  }
  // Without a cookie, or with one that names nobody, any of them.
  const others = new Set<string>();
  await eventually('another instance', async () => {
    others.add((await ask(set.replace(/=[0-9a-f]{16};.*/, '=0123456789abcdef'))).body);
    return others.size > 1;
  });
  await backends.find(({ name }) => name === first.body)?.backend.kill();
  const moved = await ask(cookie);
  expect(moved.status).toBe(200);
  expect(moved.body).not.toBe(first.body);
  expect(moved.headers['set-cookie']).toHaveLength(1);
});

test('its requests are counted as those of any router', async () => {
  const mesh = await useEdge();
  await mesh.app('web');
  await mesh.publish(exposed('web', { host: 'www' }));
  for (const host of ['www', 'www', 'other']) await send(`${mesh.gate.edge}/`, { headers: { Host: host } });
  const { body } = await send(`${mesh.gate.admin}/admin/metrics.json`);
  const metrics = JSON.parse(body) as Record<string, number>;
  const server = `rt/edge/server/127.0.36.1/${new URL(mesh.gate.edge).port}`;
  expect(metrics['rt/edge/service/marathonId/web/requests']).toBe(2);
  expect(metrics[`${server}/requests`]).toBe(3);
  expect(metrics[`${server}/failures/not-exposed`]).toBe(1);
  expect(mesh.gate.lines.filter((line) => line.includes('"GET / HTTP/1.1"')).length).toBeGreaterThanOrEqual(3);
});
