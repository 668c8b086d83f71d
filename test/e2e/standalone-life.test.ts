/** A proxy's process under load: its configuration changes, its worker dies, it is told to end, and nobody reads what it says. */
import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { useBackend } from '../fixtures/backend.ts';
import { eventually } from '../fixtures/eventually.ts';
import { getJson, send } from '../fixtures/http.ts';
import { timed } from '../fixtures/measure.ts';
import { OpenLoop } from '../fixtures/open-loop.ts';
import { type PortlessConfig, router, useProxyProcess } from '../fixtures/proxy-process.ts';
import { SteadyLoad } from '../fixtures/steady-load.ts';

const RPS = 200;
/** Enough to fill what may be unread within seconds. */
const FAST_RPS = 500;

function configTo(backend: { readonly port: number }): PortlessConfig {
  return { routers: [router(`/svc/* => /$/inet/127.0.0.1/${backend.port}`)] };
}

it('SIGHUP under load loses nothing, and a configuration that is wrong changes nothing', async () => {
  const [first, second] = await Promise.all([useBackend('first'), useBackend('second')]);
  const proxy = await useProxyProcess(configTo(first));
  const load = new SteadyLoad([proxy.url], 'web', RPS);
  const flows = async (): Promise<void> => {
    const until = load.succeeded + RPS / 4;
    await eventually('requests are answered', () => load.succeeded >= until, 10_000);
  };
  await flows();
  await proxy.reload(configTo(second));
  expect((await send(proxy.url, { headers: { Host: 'web' } })).body).toBe('second');
  await flows();
  const workers = await eventually(
    'the old worker has ended',
    async () => {
      const found = await proxy.workers();
      return found.length === 1 && found;
    },
    10_000,
  );
  await proxy.reload({ routers: [router('/svc >= /x')] });
  expect(proxy.stdout()).toContain('configuration not reloaded: the one before is still in use');
  // The process that has read it ends by itself.
  await eventually('the worker is the same', async () => String(await proxy.workers()) === String(workers));
  await flows();
  await load.stop();
  expect(load.failures).toEqual([]);
});

/** Priority, from 0 down to 19: the 19th field (proc(5)), counted from behind the name, which may have blanks. */
async function nicenessOf(pid: number, thread: string): Promise<number> {
  const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
}

it.runIf(process.platform === 'linux')(
  "a worker's threads that collect and compile yield to the one that serves",
  async () => {
    const proxy = await useProxyProcess(configTo(await useBackend('one')));
    const [pid = 0] = await proxy.workers();
    const own = await nicenessOf(pid, String(pid));
    const threads = (await readdir(`/proc/${pid}/task`)).filter((thread) => thread !== String(pid));
    const helpers = await Promise.all(threads.map((thread) => nicenessOf(pid, thread)));
    expect(helpers.filter((niceness) => niceness > own).length).toBeGreaterThan(0);
  },
);

it('SIGTERM finishes what is in flight and serves local callers meanwhile; then it refuses all, and exits 0', async () => {
  let release = (): void => undefined;
  const backend = await useBackend('slow', {
    answer: ({ url }, response) => {
      if (url === '/quick') {
        response.end('quick');
        return;
      }
      response.write('first half, ');
      release = () => response.end('second half');
    },
  });
  const proxy = await useProxyProcess(configTo(backend));
  const answer = send(proxy.url, { headers: { Host: 'web' } });
  await eventually('the request is in flight', () => backend.received.length === 1);
  proxy.process.kill('SIGTERM');
  await eventually('it says that it ends', async () => (await send(`${proxy.admin}/admin/ready`)).status === 503);
  // A caller on this node has no other way.
  expect((await send(`${proxy.url}/quick`, { headers: { Host: 'web' } })).body).toBe('quick');
  release();
  expect(await answer).toMatchObject({ status: 200, body: 'first half, second half' });
  expect(await proxy.exited).toBe(0);
  await expect(send(proxy.url)).rejects.toThrow('ECONNREFUSED');
});

it('a worker that is killed is back at once, on the same socket', async () => {
  const backend = await useBackend('web');
  const proxy = await useProxyProcess(configTo(backend));
  const [worker = 0] = await proxy.workers();
  const { ms } = await timed('standalone worker killed → requests answered', async () => {
    process.kill(worker, 'SIGKILL');
    await eventually('it is gone', async () => !(await proxy.workers()).includes(worker));
    // It waits in the kernel's queue, and is not refused.
    expect(await send(proxy.url, { headers: { Host: 'web' } })).toMatchObject({ status: 200, body: 'web' });
  });
  expect(ms).toBeLessThan(5_000);
  expect(await getJson(`${proxy.admin}/admin/metrics.json`)).toMatchObject({ 'proc/worker_restarts': 1 });
  expect(proxy.process.exitCode).toBeNull();
});

it('a reader that stops reading standard output slows no request; what is not read is dropped and counted', async () => {
  const backend = await useBackend('web');
  const proxy = await useProxyProcess(configTo(backend), { words: ['--access-log'], isDeaf: true });
  // More than a pipe and the proxy's own ring hold.
  const long = `/${'x'.repeat(3_500)}`;
  const dropped = async (): Promise<number> => {
    const figures = await getJson<Record<string, number>>(`${proxy.admin}/admin/metrics.json?q=proc`);
    return figures['log_dropped'] ?? 0;
  };
  const load = new OpenLoop(`${proxy.url}${long}`, 'web', FAST_RPS);
  await eventually('lines are dropped', async () => (await dropped()) > 0, 30_000);
  const until = load.answered + FAST_RPS;
  const { ms } = await timed(`${FAST_RPS} requests at ${FAST_RPS}/s while nobody reads standard output`, () =>
    eventually('requests go on', () => load.answered >= until, 15_000),
  );
  await load.stop();
  expect([...load.answers.keys()]).toEqual([200]);
  // The rate is the load's, not the log's; a busy machine gets some grace.
  expect(ms).toBeLessThan(3_000);
  proxy.process.kill('SIGTERM');
  expect(await proxy.exited).toBe(0);
});
