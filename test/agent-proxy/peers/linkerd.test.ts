/** A fleet of both: our outgoing router before linkerd's incoming one, and linkerd's outgoing router before our incoming one. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Backend, useBackend } from '../../fixtures/backend.ts';
import { send } from '../../fixtures/http.ts';
import { type StandaloneProxy, startProxy } from '../../fixtures/standalone-proxy.ts';
import { type LinkerdRouter, useLinkerd } from './linkerd-router.ts';

const HOST = 'web.example';

async function useRouter(configuration: string): Promise<StandaloneProxy> {
  const proxy = await startProxy(configuration);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** As linker-to-linker says it: all that is bound is called at the port of the incoming router. */
const outgoing = (peerPort: number, more = ''): string => `admin: { port: 0 }
routers:
  - protocol: http
    label: outgoing
    dtab: /svc => /$/io.buoyant.hostportPfx/host ; /svc/${HOST} => /$/inet/127.0.0.1/1 ; /svc/other => /$/inet/127.0.0.1/2
    interpreter: { kind: default, transformers: [{ kind: io.l5d.port, port: ${peerPort} }] }
    servers: [{ port: 0 }]
${more}`;

const incoming = (port: number): string => `admin: { port: 0 }
routers:
  - protocol: http
    label: incoming
    dtab: /svc/${HOST} => /$/inet/127.0.0.1/${port}
    interpreter: { kind: default, transformers: [{ kind: io.l5d.localhost }] }
    servers: [{ port: 0 }]
`;

/** Where each of the three hears a request, from the client to the app. */
async function useHops(
  app: Backend,
): Promise<Record<'oursFirst' | 'linkerdFirst', string> & { linkerds: LinkerdRouter[] }> {
  const linkerdIn = await useLinkerd({ [HOST]: app.port });
  const oursIn = await useRouter(incoming(app.port));
  const oursOut = await useRouter(outgoing(linkerdIn.port));
  const linkerdOut = await useLinkerd({ [HOST]: oursIn.port });
  return { oursFirst: oursOut.url, linkerdFirst: linkerdOut.url, linkerds: [linkerdIn, linkerdOut] };
}

const TRACE = '00000000000000aa';
const CONTEXT = {
  host: HOST,
  'l5d-ctx-trace': Buffer.from(`00000000000000cc00000000000000bb${TRACE}0000000000000000`, 'hex').toString('base64'),
  'l5d-ctx-deadline': `${Date.now()}000000 ${Date.now() + 60_000}000000`,
  'l5d-ctx-thing': 'kept',
  'l5d-sample': '0.5',
  'l5d-dtab': '/svc/unused => /svc/none',
};

describe.each(['oursFirst', 'linkerdFirst'] as const)('%s', (first) => {
  it('a request gets through with its context, and the answer says how it was', async () => {
    const app = await useBackend('app');
    const hops = await useHops(app);
    const answer = await send(`${hops[first]}/a?b=c`, { method: 'POST', headers: CONTEXT, body: 'hello' });
    expect(answer).toMatchObject({ status: 200, body: 'app' });
    expect(answer.headers['l5d-success-class']).toBe('1.0');
    expect(answer.headers['l5d-err']).toBeUndefined();

    const [got] = app.received;
    const names = first === 'oursFirst' ? '1.1 nodemesh, 1.1 linkerd' : '1.1 linkerd, 1.1 nodemesh';
    expect(got).toMatchObject({ method: 'POST', url: '/a?b=c', body: 'hello' });
    expect(got?.headers).toMatchObject({
      host: HOST,
      via: names,
      'l5d-reqid': TRACE,
      'l5d-ctx-thing': 'kept',
      'l5d-sample': '0.5',
      'l5d-ctx-dtab': expect.stringMatching(/^\/svc\/unused ?=> ?\/svc\/none$/),
      'l5d-dst-service': `/svc/${HOST}`,
    });
    // One trace, whose spans have each other for parents.
    const trace = Buffer.from(String(got?.headers['l5d-ctx-trace']), 'base64').toString('hex');
    expect(trace.slice(32, 48)).toBe(TRACE);
    expect(trace.slice(0, 16)).not.toBe('00000000000000cc');
    expect(got?.headers['l5d-dtab']).toBeUndefined();
    const [, deadline] = String(got?.headers['l5d-ctx-deadline']).split(' ').map(Number);
    expect(deadline).toBeLessThanOrEqual(Number(CONTEXT['l5d-ctx-deadline'].split(' ')[1]));
    expect(deadline).toBeGreaterThan(Date.now() * 1e6);
  });

  it('a failure of the application is passed on, and sent once', async () => {
    const app = await useBackend('app', { answer: (_request, response) => response.writeHead(500).end('broken') });
    const hops = await useHops(app);
    const answer = await send(hops[first], { headers: { host: HOST } });
    expect(answer).toMatchObject({ status: 500, body: 'broken' });
    expect(answer.headers['l5d-err']).toBeUndefined();
    expect(answer.headers['l5d-retryable']).toBeUndefined();
    expect(app.received).toHaveLength(1);
  });

  it('an instance that is gone may be retried by whoever is before, and says so', async () => {
    const app = await useBackend('app');
    const hops = await useHops(app);
    await app.kill();
    const answer = await send(hops[first], { method: 'POST', headers: { host: HOST }, body: 'once' });
    expect(answer.status).toBeGreaterThanOrEqual(502);
    expect(answer.headers['l5d-err']).toBeDefined();
    expect(answer.headers['l5d-retryable']).toBe('true');
  });
});

it('what nobody knows behind linkerd is its error, with its text', async () => {
  const linkerd = await useLinkerd({});
  const proxy = await useRouter(outgoing(linkerd.port));
  const answer = await send(proxy.url, { headers: { host: HOST } });
  expect(answer.status).toBe(502);
  expect(decodeURIComponent(String(answer.headers['l5d-err']))).toContain('Unable to route request!');
  expect(linkerd.received).toHaveLength(1);
});

it("linkerd's refusal of what it has not sent is sent again, a POST too, and no other of its failures", async () => {
  let port = 1;
  const app = await useBackend('app');
  const linkerd = await useLinkerd({
    get [HOST]() {
      const refused = port;
      port = app.port;
      return refused;
    },
  });
  const proxy = await useRouter(outgoing(linkerd.port));
  const answer = await send(proxy.url, { method: 'POST', headers: { host: HOST }, body: 'hello' });
  expect(answer).toMatchObject({ status: 200, body: 'app' });
  expect(linkerd.received).toHaveLength(2);
});

it('linkerd is told nothing of instances that only proxies of a mesh may name', async () => {
  const app = await useBackend('app');
  const { oursFirst, linkerds } = await useHops(app);
  await send(oursFirst, { headers: { host: HOST } });
  const names = Object.keys(linkerds[0]?.received[0] ?? {});
  expect(names.filter((name) => name.includes('nodemesh') || name.startsWith('l5d-ctx-inst'))).toEqual([]);
});

it('what linkerd says of a destination does not lead ours: its incoming router goes by the host', async () => {
  const app = await useBackend('app');
  const { linkerdFirst } = await useHops(app);
  const lies = { 'l5d-dst-service': '/svc/other', 'l5d-dst-client': '/$/inet/127.0.0.1/1' };
  expect(await send(linkerdFirst, { headers: { host: HOST, ...lies } })).toMatchObject({ status: 200, body: 'app' });
});

it('a circle of both ends', async () => {
  const names: Record<string, number> = {};
  const linkerd = await useLinkerd(names);
  const proxy = await useRouter(outgoing(linkerd.port));
  names[HOST] = proxy.port;
  const answer = await send(proxy.url, { headers: { host: HOST } });
  expect(answer.status).toBe(400);
  expect(linkerd.received.length).toBeLessThanOrEqual(20);
});
