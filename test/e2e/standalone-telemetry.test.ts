/** What a proxy tells of the requests that went through it: figures, logs, spans, and the pages of its admin server. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Backend, useBackend } from '../fixtures/backend.ts';
import { eventually } from '../fixtures/eventually.ts';
import { getJson, send } from '../fixtures/http.ts';
import { type ProxyProcess, useProxyProcess } from '../fixtures/proxy-process.ts';
import { service, useNames } from '../fixtures/static-config.ts';

/** A backend that fails the first request of each path. */
function useStumbling(): Promise<Backend> {
  const seen = new Set<string>();
  return useBackend('web', {
    answer: ({ url }, response) => {
      response.statusCode = seen.has(url) ? 200 : 500;
      seen.add(url);
      response.end('web');
    },
  });
}

/** A router `out` over the namer `io.l5d.fs`, whose requests are retried, and that keeps an access log. */
async function useRetrying(telemetry: readonly object[], words: readonly string[] = []): Promise<ProxyProcess> {
  const backend = await useStumbling();
  const names = await useNames({ web: [backend.port] });
  const more = {
    label: 'out',
    httpAccessLog: 'logs/access.log',
    ...service({ responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' } }),
  };
  return useProxyProcess({ routers: [], ...names.config(more), telemetry }, { words });
}

function ask(proxy: ProxyProcess, path = '/', headers: Record<string, string> = {}) {
  return send(`${proxy.url}${path}`, { headers: { Host: 'web', ...headers } });
}

it("metrics have linkerd's names, and a request that was retried is one request with two attempts", async () => {
  const proxy = await useRetrying([{ kind: 'io.l5d.prometheus', prefix: 'linkerd_' }]);
  expect(await ask(proxy)).toMatchObject({ status: 200, body: 'web' });
  const port = new URL(proxy.url).port;
  const server = `rt/out/server/127.0.0.1/${port}`;
  const path = 'rt/out/service/svc/web';
  const client = 'rt/out/client/#/io.l5d.fs/web';
  expect(await getJson(`${proxy.admin}/admin/metrics.json`)).toMatchObject({
    [`${server}/requests`]: 1,
    [`${server}/success`]: 1,
    [`${server}/failures`]: 0,
    [`${server}/status/200`]: 1,
    [`${server}/request_latency_ms.count`]: 1,
    [`${path}/requests`]: 1,
    [`${path}/success`]: 1,
    [`${path}/retries/total`]: 1,
    [`${path}/retries/per_request.max`]: 1,
    [`${client}/requests`]: 2,
    [`${client}/success`]: 1,
    [`${client}/failures`]: 1,
    [`${client}/status/200`]: 1,
    [`${client}/status/500`]: 1,
    [`${client}/connects`]: 1,
    [`${client}/loadbalancer/size`]: 1,
    [`${client}/service/svc/web/requests`]: 2,
  });
  const tree = await getJson<{ rt: { out: object } }>(`${proxy.admin}/admin/metrics.json?tree=true`);
  expect(tree.rt.out).toMatchObject({ service: { svc: { web: { requests: { counter: 1 } } } } });
  const { body } = await send(`${proxy.admin}/admin/metrics/prometheus`);
  expect(body.split('\n')).toEqual(
    expect.arrayContaining([
      `linkerd_rt:server:requests{rt="out", server="127.0.0.1/${port}"} 1`,
      'linkerd_rt:service:requests{rt="out", service="svc/web"} 1',
      'linkerd_rt:service:retries:total{rt="out", service="svc/web"} 1',
      'linkerd_rt:client:requests{rt="out", client="#/io.l5d.fs/web"} 2',
      'linkerd_rt:client:service:requests{rt="out", client="#/io.l5d.fs/web", service="svc/web"} 2',
    ]),
  );
});

it('an access log has one line for a request, not one for an attempt, in the file and on standard output', async () => {
  const proxy = await useRetrying([], ['--access-log']);
  await ask(proxy, '/first');
  await ask(proxy, '/second');
  const file = join(proxy.directory, 'logs/access.log');
  const lines = await eventually('both lines are written', async () => {
    const read = (await readFile(file, 'utf8')).trimEnd().split('\n');
    return read.length >= 2 && read;
  });
  expect(lines).toEqual(
    ['/first', '/second'].map((path) =>
      expect.stringMatching(new RegExp(`^web 127\\.0\\.0\\.1 .*"GET ${path} HTTP/1\\.1" 200 3 `)),
    ),
  );
  const shown = await eventually('both lines are shown', () => {
    const found = proxy.stdout().match(/ access out .*/g) ?? [];
    return found.length >= 2 && found;
  });
  expect(shown).toHaveLength(2);
  expect(shown[0]).toContain('service=/svc/web');
  expect(shown[0]).toMatch(/retries=1$/);
});

it('spans of one trace reach Zipkin and an OpenTelemetry collector: the request, and each attempt', async () => {
  const [zipkin, otlp] = await Promise.all([useBackend('zipkin'), useBackend('otlp')]);
  const proxy = await useRetrying([
    { kind: 'io.l5d.zipkin', host: '127.0.0.1', port: zipkin.port, sampleRate: 1 },
    { kind: 'io.nodemesh.otlp', endpoint: `http://127.0.0.1:${otlp.port}`, sampleRate: 1 },
  ]);
  await ask(proxy);
  const zipkinSpans = await eventually('Zipkin has all spans', () => {
    const spans = zipkin.received.flatMap(({ body }) => JSON.parse(body) as Record<string, unknown>[]);
    return spans.length >= 3 && spans;
  });
  expect(zipkin.received[0]).toMatchObject({ method: 'POST', url: '/api/v2/spans' });
  expect(zipkinSpans.map(({ kind }) => kind).toSorted()).toEqual(['CLIENT', 'CLIENT', 'SERVER']);
  expect(new Set(zipkinSpans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(zipkinSpans).toContainEqual(
    expect.objectContaining({ kind: 'SERVER', localEndpoint: { serviceName: 'out' } }),
  );
  interface Traces {
    resourceSpans: { scopeSpans: { spans: { kind: number; traceId: string }[] }[] }[];
  }
  const otlpSpans = await eventually('the collector has all spans', () => {
    const traces = otlp.received.flatMap(({ body }) => (JSON.parse(body) as Traces).resourceSpans);
    const spans = traces.flatMap(({ scopeSpans }) => scopeSpans).flatMap(({ spans }) => spans);
    return spans.length >= 3 && spans;
  });
  expect(otlp.received[0]).toMatchObject({ method: 'POST', url: '/v1/traces' });
  expect(otlp.received[0]?.headers['content-type']).toBe('application/json');
  expect(otlpSpans.map(({ kind }) => kind).toSorted()).toEqual([2, 3, 3]);
  expect(otlpSpans[0]?.traceId).toMatch(/^[0-9a-f]{32}$/);
});

it('l5d-debug tells the hop, the instance, every attempt and its times, and is told to who asks alone', async () => {
  const proxy = await useRetrying([]);
  const { headers } = await ask(proxy, '/', { 'l5d-debug': 'true' });
  const told = String(headers['l5d-debug']);
  expect(told).toMatch(/^"out"; service="\/svc\/web"; ms=[\d.]+; attempt=/);
  expect(told.match(/attempt="[^"]*"/g)).toEqual([
    expect.stringMatching(
      /#\/io\.l5d\.fs\/web 127\.0\.0\.1:\d+ .*status=500 .*begun=[\d.]+ written=[\d.]+ head=[\d.]+/,
    ),
    expect.stringMatching(/status=200/),
  ]);
  expect((await ask(proxy)).headers['l5d-debug']).toBeUndefined();
});

it('the pages of the admin server answer, and tell of a request that was made', async () => {
  const proxy = await useRetrying([{ kind: 'io.l5d.recentRequests', sampleRate: 1 }]);
  await ask(proxy);
  const page = (path: string) => send(`${proxy.admin}${path}`);
  expect(await page('/admin/ping')).toMatchObject({ status: 200, body: 'pong' });
  expect((await page('/admin/ready')).status).toBe(200);
  expect((await page('/requests')).body).toContain('<td>/svc/web</td>');
  expect(await getJson(`${proxy.admin}/config.json`)).toMatchObject({ routers: [{ label: 'out' }] });
  expect(await getJson(`${proxy.admin}/bound-names.json`)).toEqual(['/#/io.l5d.fs/web']);
  expect(await getJson(`${proxy.admin}/client_state.json`)).toMatchObject({ 'out/#/io.l5d.fs/web': { size: 1 } });
  expect(await getJson(`${proxy.admin}/delegator.json?router=out&path=/svc/web`)).toMatchObject({
    type: 'delegate',
    path: '/svc/web',
    delegate: { type: 'leaf', path: '/#/io.l5d.fs/web', bound: { addr: { type: 'bound' } } },
  });
  const dtab = encodeURIComponent('/svc/web => /svc/other');
  expect(await getJson(`${proxy.admin}/delegator.json?router=out&path=/svc/web&dtab=${dtab}`)).not.toMatchObject({
    delegate: { path: '/#/io.l5d.fs/web' },
  });
  expect(await getJson(`${proxy.admin}/logging.json`)).toContainEqual({ logger: 'root', level: 'INFO' });
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const set = await send(`${proxy.admin}/logging.json`, {
    method: 'POST',
    headers: form,
    body: 'logger=root&level=ERROR',
  });
  expect(set.status).toBeLessThan(300);
  expect(await getJson(`${proxy.admin}/logging.json`)).toContainEqual({ logger: 'root', level: 'ERROR' });
  expect((await page('/admin/nothing')).status).toBe(404);
});
