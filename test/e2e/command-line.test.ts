/** What a person meets at the command line: bad input in one line, and nothing left behind. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { send } from '../fixtures/http.ts';
import { Cluster, isAlive, run, runProcess, waitForReady } from '../fixtures/local-cluster.ts';
import { timed } from '../fixtures/measure.ts';

/** What a scheduler needs to be told. */
const SCHEDULER_WORDS = ['--master=http://127.0.0.1:1', '--marathon=http://127.0.0.1:1', '--state=file:state'];

// Side by side: each is a process that soon ends, and no time is measured.
describe.concurrent('bad input is one line that says what to do', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nodemesh-test-'));
    await writeFile(join(directory, 'a-file'), 'not a directory');
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.each<[string, string[], RegExp]>([
    ['unknown command', ['lokal'], /unknown command 'lokal'/],
    ['unknown option of local', ['local', '--agent', '3'], /unknown option '--agent'/],
    ['bad number', ['local', '--agents', 'three'], /--agents .*whole number/],
    ['bad network', ['local', '--agent-net', '127.0'], /--agent-net .*three octets/],
    ['excess word', ['local', 'now'], /too many arguments/],
    ['unknown option of the scheduler', ['scheduler', '--nope'], /unknown option '--nope'/],
    ['bad port of the scheduler', ['scheduler', ...SCHEDULER_WORDS, '--listen', '127.0.0.1:99999'], /listen.*port/i],
    ['unknown option of the proxy', ['proxy', '--nope'], /--nope/],
    ['bad port of the proxy', ['proxy', '--node-ip', '127.0.0.1', '--ports', 'out=99999'], /--ports.*99999/],
    ['unknown option of nodes', ['nodes', '--nope'], /unknown option '--nope'/],
  ])('%s: exit code 2', async (_, args, words) => {
    const command = run(args, { NODEMESH_SCHEDULERS: 'http://127.0.0.1:1' });
    expect(await command.ended).toBe(2);
    expectOneLine(command.stderr(), words);
  });

  it('a state directory that is a file: exit code 1, for local and for the scheduler', async () => {
    const broken = join(directory, 'a-file');
    const local = run(['local', '--state', broken]);
    const scheduler = run([
      ...['scheduler', '--master', 'http://127.0.0.1:1', '--marathon', 'http://127.0.0.1:1'],
      ...['--state', `file:${broken}`, '--listen', '127.0.47.253:4180'],
    ]);
    expect(await local.ended).toBe(1);
    expectOneLine(local.stderr(), /cannot keep state in .*a-file/);
    expect(await scheduler.ended).toBe(1);
    expectOneLine(scheduler.stderr(), /a-file/);
  });

  it('a taken port: exit code 1, and the line names it', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(5050, '127.0.48.254', resolve));
    try {
      const command = run(['local', '--json', ...Cluster.addresses(48)]);
      expect(await command.ended).toBe(1);
      expect(command.stdout()).toBe('');
      expectOneLine(command.stderr(), /port 5050 on 127\.0\.48\.254.* is taken/);
    } finally {
      await close(server);
    }
  });

  it('a scheduler that is not there: exit code 1, and what to do', async () => {
    const command = run(['nodes', '--scheduler', 'http://127.0.0.1:1']);
    expect(await command.ended).toBe(1);
    expectOneLine(command.stderr(), /cannot reach the scheduler/);
  });

  it.each(['local', 'scheduler', 'proxy', 'nodes', 'services'])('%s --help: exit code 0', async (word) => {
    const command = run([word, '--help']);
    expect(await command.ended).toBe(0);
    expect(command.stdout()).toContain(`nodemesh ${word}`);
  });
});

describe('nothing is left behind', () => {
  it('by kill -9 of the cluster: no process, no port, no directory after 3 s', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nodemesh-test-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const words = ['--agents', '2', '--public-agents', '0', '--load', '0'];
    const cluster = await Cluster.start(49, words, { TMPDIR: directory });
    const pids = (await cluster.processes()).map((row) => row.pid);
    expect(await readdir(directory)).toEqual([expect.stringContaining('nodemesh-local-')]);
    expect(pids.length).toBeGreaterThan(15);
    await timed('kill -9 of the cluster → nothing left', async () => {
      cluster.command.child.kill('SIGKILL');
      await eventually('no process', () => pids.every((pid) => !isAlive(pid)), 9000);
      await eventually('no port', async () => (await answering(cluster)).length === 0, 9000);
      await eventually('no directory', async () => (await readdir(directory)).length === 0, 9000);
    });
  });

  it('by SIGTERM, at which two clusters ran side by side and one stays', async () => {
    const small = ['--agents', '1', '--public-agents', '0', '--no-demo'];
    const [first, second] = await Promise.all([Cluster.start(50, small), Cluster.start(51, small)]);
    try {
      const pids = (await first.processes()).map((row) => row.pid);
      await first.stop();
      expect(await first.command.ended).toBe(0);
      expect(pids.filter(isAlive)).toEqual([]);
      expect(await answering(first)).toEqual([]);
      expect(await second.allHealthy()).toBe(true);
    } finally {
      await second.stop();
    }
  });

  it('by npm start, which prints the ready line among npm’s own', async () => {
    const command = runProcess('npm', [
      ...['start', '--', '--json', '--no-demo', '--agents', '1', '--public-agents', '0'],
      ...Cluster.addresses(52),
    ]);
    try {
      const ready = await waitForReady(command);
      expect((await send(`${ready.mesos}/health`)).status).toBe(200);
      expect(
        command
          .stdout()
          .split('\n')
          .filter((line) => line.startsWith('{')),
      ).toHaveLength(1);
    } finally {
      command.child.kill('SIGTERM');
      await command.ended;
    }
    await eventually('no port', async () => !(await isAnswering('http://127.0.52.254:5050/health')), 9000);
  });
});

it('a cluster started again on its state has the same agents and framework, all healthy', async () => {
  const state = await mkdtemp(join(tmpdir(), 'nodemesh-test-'));
  const small = ['--agents', '1', '--public-agents', '1', '--no-demo', '--state', state];
  try {
    const first = await Cluster.start(55, small);
    const frameworkId = await first.frameworkId();
    first.command.child.kill('SIGKILL');
    await eventually('nothing of the first is left', async () => (await answering(first)).length === 0, 9000);
    const second = await Cluster.start(55, small);
    try {
      expect(second.ready).toEqual(first.ready);
      expect(await second.frameworkId()).toBe(frameworkId);
      expect((await second.nodes()).map((node) => node.state)).toEqual(['healthy', 'healthy']);
    } finally {
      await second.stop();
    }
  } finally {
    await rm(state, { recursive: true, force: true });
  }
});

function expectOneLine(text: string, words: RegExp): void {
  const lines = text.trimEnd().split('\n');
  expect(lines, text).toHaveLength(1);
  expect(lines[0]).toMatch(words);
  expect(text).not.toMatch(/^\s+at /m);
}

/** Which of a cluster's listeners still answer. */
async function answering(cluster: Cluster): Promise<string[]> {
  const { mesos, marathon, scheduler, nodes } = cluster.ready;
  const urls = [mesos, marathon, ...(scheduler === null ? [] : [scheduler])].concat(
    nodes.flatMap((node) => [node.http, node.admin, `http://${node.ip}:4141`, `http://${node.ip}:5051`]),
  );
  const alive = await Promise.all(urls.map(isAnswering));
  return urls.filter((_, index) => alive[index]);
}

function isAnswering(url: string): Promise<boolean> {
  return send(url, { timeoutMs: 2000 }).then(
    () => true,
    () => false,
  );
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
