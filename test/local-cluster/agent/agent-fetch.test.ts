/** What a task finds in its sandbox before it starts: URIs fetched, unpacked, cached. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CommandUri, taskId } from '../../../framework/mesos-http-client/messages.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { type Bench, FRAMEWORK, reached, run, shellTask, startAgent } from './stand-in-master.ts';

/** An artifact server that counts; a path without content gets no answer. */
async function artifacts(
  files: Record<string, Buffer | string>,
): Promise<{ url: string; counts: Map<string, number> }> {
  const counts = new Map<string, number>();
  const held: ServerResponse[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    counts.set(path, (counts.get(path) ?? 0) + 1);
    const file = files[path];
    if (path === '/hang') held.push(response);
    else if (path.startsWith('/to/')) response.writeHead(302, { Location: path.slice('/to'.length) }).end();
    else if (file === undefined) response.writeHead(404).end();
    else response.end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.32.20', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.32.20:${(server.address() as AddressInfo).port}`, counts };
}

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nodemesh-fetch-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs `command` with these URIs and answers what it wrote to stdout. */
async function said(bench: Bench, id: string, command: string, uris: CommandUri[]): Promise<string> {
  run(bench, shellTask(id, '', { command: { value: command, uris } }));
  const end = await eventually(`the end of ${id}`, () =>
    bench.master.of(id).find(({ state }) => /FINISHED|FAILED/.test(state)),
  );
  expect(end.message).toBe('Command exited with status 0');
  return readFileSync(
    join(bench.workDir, 'slaves/m-S0/frameworks', FRAMEWORK, 'executors', id, 'runs/latest/stdout'),
    'utf8',
  );
}

describe('fetcher', () => {
  test('brings a file under its own name, or under the one asked for', async () => {
    const bench = await startAgent();
    const { url } = await artifacts({ '/dir/a.txt?v=1': 'A', '/b': 'B' });
    const uris = [{ value: `${url}/dir/a.txt?v=1` }, { value: `${url}/b`, output_file: 'sub/c.txt' }];
    expect(await said(bench, 't', 'cat a.txt sub/c.txt', uris)).toBe('AB');
  });

  test('follows redirects', async () => {
    const bench = await startAgent();
    const { url } = await artifacts({ '/a': 'A' });
    expect(await said(bench, 't', 'cat a', [{ value: `${url}/to/a` }])).toBe('A');
  });

  test('copies file URIs and absolute paths', async () => {
    const bench = await startAgent();
    const directory = scratch();
    writeFileSync(join(directory, 'one'), '1');
    writeFileSync(join(directory, 'two'), '2');
    const uris = [{ value: `file://${directory}/one` }, { value: `${directory}/two` }];
    expect(await said(bench, 't', 'cat one two', uris)).toBe('12');
  });

  test('an executable one can be run, and is not unpacked', async () => {
    const bench = await startAgent();
    const { url } = await artifacts({ '/tool.tar': '#!/bin/sh\necho ran\n' });
    expect(await said(bench, 't', './tool.tar', [{ value: `${url}/tool.tar`, executable: true }])).toBe('ran\n');
  });

  test.each([
    ['.tar', ['tar', '-cf']],
    ['.tar.gz', ['tar', '-czf']],
    ['.tgz', ['tar', '-czf']],
  ])('a %s is unpacked, unless it shall not be', async (ending, [tool = '', flags = '']) => {
    const bench = await startAgent();
    const directory = scratch();
    writeFileSync(join(directory, 'inside'), 'unpacked');
    execFileSync(tool, [flags, `pack${ending}`, 'inside'], { cwd: directory });
    const { url } = await artifacts({ [`/pack${ending}`]: readFileSync(join(directory, `pack${ending}`)) });
    const value = `${url}/pack${ending}`;
    expect(await said(bench, 'plain', 'cat inside', [{ value }])).toBe('unpacked');
    expect(await said(bench, 'cached', 'cat inside', [{ value, cache: true }])).toBe('unpacked');
    expect(await said(bench, 'whole', 'ls', [{ value, extract: false }])).toBe(`pack${ending}\nstderr\nstdout\n`);
  });

  test('a cached URI is downloaded once, however many tasks want it at the same time', async () => {
    const bench = await startAgent();
    const { url, counts } = await artifacts({ '/a': 'A' });
    const uris = [{ value: `${url}/a`, cache: true, extract: false, output_file: 'x' }];
    const ids = ['t1', 't2', 't3', 't4', 't5'];
    expect(await Promise.all(ids.map((id) => said(bench, id, 'cat x', uris)))).toEqual(ids.map(() => 'A'));
    expect(counts.get('/a')).toBe(1);
    await said(bench, 'later', 'cat x', uris);
    expect(counts.get('/a')).toBe(1);
  });

  test('a task that changes its copy does not change the cache', async () => {
    const bench = await startAgent();
    const { url } = await artifacts({ '/a': 'A' });
    const uris = [{ value: `${url}/a`, cache: true }];
    await said(bench, 't1', 'echo changed > a', uris);
    expect(await said(bench, 't2', 'cat a', uris)).toBe('A');
  });

  test('a download that failed is tried anew by the next task, cached or not', async () => {
    const bench = await startAgent();
    const files: Record<string, string> = {};
    const { url } = await artifacts(files);
    const uris = [{ value: `${url}/late`, cache: true }];
    run(bench, shellTask('t1', '', { command: { value: 'true', uris } }));
    await reached(bench.master, 't1', 'TASK_FAILED');
    files['/late'] = 'here now';
    expect(await said(bench, 't2', 'cat late', uris)).toBe('here now');
  });

  test.each([
    ['a refused connection', 'http://127.0.0.1:1/none', /ECONNREFUSED/],
    ['a server without it', 'SERVER/none', /answered 404/],
    ['a scheme that it does not speak', 'hdfs://host/none', /only http, https and file URIs/],
    ['a file that is not there', '/no/such/file', /ENOENT/],
  ])('%s fails the task in the recorded words, and its stderr says why', async (_what, value, why) => {
    const bench = await startAgent();
    const { url } = await artifacts({});
    const uris = [{ value: value.replace('SERVER', url) }];
    run(bench, shellTask('t', '', { command: { value: 'true', uris } }));
    const status = await reached(bench.master, 't', 'TASK_FAILED');
    expect(status).toMatchObject({ source: 'SOURCE_AGENT', reason: 'REASON_CONTAINER_LAUNCH_FAILED' });
    expect(status.message).toMatch(
      /^Failed to launch container: Failed to fetch all URIs for container '[0-9a-f-]{36}': exited with status 1$/,
    );
    expect(bench.master.states('t')).toEqual(['TASK_FAILED']);
    const runs = join(bench.workDir, 'slaves/m-S0/frameworks', FRAMEWORK, 'executors/t/runs/latest');
    expect(readFileSync(join(runs, 'stderr'), 'utf8')).toMatch(why);
  });

  test('no file lands outside the sandbox', async () => {
    const bench = await startAgent();
    const { url } = await artifacts({ '/a': 'A' });
    for (const [index, output_file] of ['../../escaped', '/tmp/nodemesh-escaped', '.'].entries()) {
      run(
        bench,
        shellTask(`t${index}`, '', { command: { value: 'true', uris: [{ value: `${url}/a`, output_file }] } }),
      );
      await reached(bench.master, `t${index}`, 'TASK_FAILED');
    }
  });

  test('a kill during the download ends the task as KILLED during launch', async () => {
    const bench = await startAgent();
    const { url, counts } = await artifacts({});
    run(bench, shellTask('t', '', { command: { value: 'true', uris: [{ value: `${url}/hang` }] } }));
    await eventually('the download begins', () => counts.get('/hang'));
    bench.agent.killTask(FRAMEWORK, taskId('t'));
    expect(await reached(bench.master, 't', 'TASK_KILLED')).toMatchObject({
      reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
    });
  });

  test('a shutdown does not wait for a download', async () => {
    const bench = await startAgent();
    const { url, counts } = await artifacts({});
    const uris = [{ value: `${url}/hang`, cache: true }];
    run(bench, shellTask('t', '', { command: { value: 'true', uris } }));
    await eventually('the download begins', () => counts.get('/hang'));
    const begun = performance.now();
    await bench.agent.shutdown();
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  test('an archive that cannot be unpacked fails the task', async () => {
    const bench = await startAgent();
    const directory = scratch();
    writeFileSync(join(directory, 'broken.tgz'), 'no archive');
    chmodSync(join(directory, 'broken.tgz'), 0o644);
    run(bench, shellTask('t', '', { command: { value: 'true', uris: [{ value: join(directory, 'broken.tgz') }] } }));
    await reached(bench.master, 't', 'TASK_FAILED');
  });
});
