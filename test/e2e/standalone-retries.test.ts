/** Retries at a thousand requests a second: what they may cost an app that fails half of the time, and one that is dead. */
import { expect, it } from 'vitest';
import { useBackend } from '../fixtures/backend.ts';
import { getJson } from '../fixtures/http.ts';
import { figure } from '../fixtures/measure.ts';
import { OpenLoop } from '../fixtures/open-loop.ts';
import { freePorts } from '../fixtures/proxy.ts';
import { type ProxyProcess, router, useProxyProcess } from '../fixtures/proxy-process.ts';
import { client, service } from '../fixtures/static-config.ts';

const RPS = 1_000;
const WINDOW_MS = 10_000;
const LOAD_MS = 12_000;
const SAMPLE_MS = 200;

interface Sample {
  readonly atMs: number;
  /** So far: by callers to the proxy, by the proxy to the app. */
  readonly sent: number;
  readonly upstream: number;
  /** Requests that wait for their answer. */
  readonly open: number;
}

/**
 * What every 10 s may hold: upstream requests at most 1.2 × those of callers, + 100. A caller's request counts where it is
 * there in these 10 s, whenever it was sent: on a busy machine some wait before the proxy sees them.
 */
function expectNoStorm(name: string, samples: readonly Sample[]): void {
  let checked = 0;
  let worst = 0;
  for (const end of samples) {
    const begin = samples.findLast(({ atMs }) => atMs <= end.atMs - WINDOW_MS);
    if (begin === undefined) continue;
    checked += 1;
    const sent = end.sent - begin.sent + begin.open;
    const upstream = end.upstream - begin.upstream;
    worst = Math.max(worst, upstream / sent);
    expect(upstream, `${name}: ${sent} requests from ${begin.atMs} to ${end.atMs} ms`).toBeLessThanOrEqual(
      1.2 * sent + 100,
    );
  }
  expect(checked).toBeGreaterThan(0);
  figure(`upstream requests per 1,000, ${name}`, worst * 1_000, 'requests');
}

function standing({ sent, answered }: OpenLoop): { sent: number; open: number } {
  return { sent, open: sent - answered };
}

/** Attempts of a router as its metrics tell them: begun, and those that nobody took the connection of. */
async function attemptsOf(proxy: ProxyProcess, label: string): Promise<number> {
  const metrics = await getJson<Record<string, number>>(`${proxy.admin}/admin/metrics.json?q=rt/${label}/client`);
  let attempts = 0;
  for (const [key, value] of Object.entries(metrics)) {
    if (/\/(connect_failures|status\/\d\d\d)$/.test(key) && !key.includes('/service/')) attempts += value;
  }
  return attempts;
}

it('half of the answers fail, or all connections: upstream sees 1.2 × at most, and 58 % succeed', async () => {
  let answered = 0;
  const failing = await useBackend('half', {
    raw: (request, response) => {
      request.resume();
      answered += 1;
      // A hash of the number, so that what fails is not in step with anything.
      response.statusCode = Math.imul(answered, 0x9e3779b1) < 0 ? 500 : 200;
      response.end();
    },
  });
  const [closed = 0] = await freePorts('127.0.0.1', 1);
  const policy = {
    ...service({ responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' } }),
    ...client({ failureAccrual: { kind: 'none' } }),
  };
  const proxy = await useProxyProcess({
    routers: [
      router(`/svc/* => /$/inet/127.0.0.1/${failing.port}`, { label: 'half', ...policy }),
      router(`/svc/* => /$/inet/127.0.0.1/${closed}`, { label: 'dead', ...policy }),
    ],
  });
  const [half = '', dead = ''] = proxy.urls;
  const loads = { half: new OpenLoop(half, 'web', RPS), dead: new OpenLoop(dead, 'web', RPS) };
  const samples: { readonly half: Sample[]; readonly dead: Sample[] } = { half: [], dead: [] };
  const sample = async (): Promise<void> => {
    const atMs = loads.half.elapsedMs();
    samples.half.push({ atMs, ...standing(loads.half), upstream: answered });
    const dead = standing(loads.dead);
    samples.dead.push({ atMs, ...dead, upstream: await attemptsOf(proxy, 'dead') });
  };
  // The load is paced by the clock, and so are its samples.
  await new Promise<void>((resolve, reject) => {
    const timer = setInterval(() => {
      sample().then(() => {
        if (loads.half.elapsedMs() < LOAD_MS) return;
        clearInterval(timer);
        resolve();
      }, reject);
    }, SAMPLE_MS);
  });
  await Promise.all([loads.half.stop(), loads.dead.stop()]);
  const total = loads.half.sent;
  expectNoStorm('half of the answers fail', samples.half);
  expectNoStorm('the app is dead', samples.dead);
  // The machine could do it at all.
  expect(total).toBeGreaterThan(0.5 * RPS * (LOAD_MS / 1_000));
  // They were tried at all.
  expect(await attemptsOf(proxy, 'dead')).toBeGreaterThan(0);
  // Each is told so, at once, and by the proxy.
  expect([...loads.dead.answers.keys()].every((status) => status === 502 || status === 503)).toBe(true);
  const succeeded = loads.half.answers.get(200) ?? 0;
  figure('successes per 1,000, half of the answers fail', (succeeded / total) * 1_000, 'requests');
  expect(succeeded / total).toBeGreaterThanOrEqual(0.58);
}, 60_000);
