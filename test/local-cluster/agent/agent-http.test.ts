/** The agent's HTTP API: state, containers, sandboxes, the operator calls. */
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Bench, reached, run, shellTask, startAgent } from './stand-in-master.ts';

interface Inspected extends Bench {
  readonly url: string;
  /** Of the running task. */
  readonly sandbox: string;
}

/** An agent with a running task (st-1) and an ended one (st-2). */
async function inspected(): Promise<Inspected> {
  const bench = await startAgent();
  run(bench, shellTask('st-1', 'echo hello; exec sleep 1000', { labels: { labels: [{ key: 'app', value: 'x' }] } }));
  run(bench, shellTask('st-2', 'true'));
  await reached(bench.master, 'st-1', 'TASK_RUNNING');
  await reached(bench.master, 'st-2', 'TASK_FINISHED');
  await new Promise((resolve) => setImmediate(resolve));
  const { ip, port } = bench.agent.description;
  const url = `http://${ip}:${port}`;
  const state = (await (await fetch(`${url}/state`)).json()) as {
    frameworks: { executors: { directory: string }[] }[];
  };
  return { ...bench, url, sandbox: state.frameworks[0]?.executors[0]?.directory ?? '' };
}

async function operator(url: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}/api/v1`, { method: 'POST', body: JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text };
}

/** Names of all members, to any depth, arrays by their first element. */
function outline(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [outline(value[0])];
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, outline(member)]));
}

describe('agent HTTP API', () => {
  test('health is 200 and empty, also under the libprocess name', async () => {
    const { url } = await inspected();
    for (const path of ['/health', '/slave(1)/health']) {
      const response = await fetch(url + path);
      expect([response.status, await response.text()]).toEqual([200, '']);
    }
  });

  test('the sandbox of a task can be listed, read in pages, and downloaded', async () => {
    const { url, sandbox } = await inspected();
    const query = (path: string, rest = ''): string => `path=${encodeURIComponent(path)}${rest}`;
    const listed = (await (await fetch(`${url}/files/browse?${query(sandbox)}`)).json()) as { path: string }[];
    expect(listed.map(({ path }) => path)).toEqual([join(sandbox, 'stderr'), join(sandbox, 'stdout')]);
    expect(listed[1]).toMatchObject({ size: 6, mode: '-rw-r--r--', nlink: 1 });
    const stdout = join(sandbox, 'stdout');
    const read = async (rest: string): Promise<unknown> =>
      (await fetch(`${url}/files/read?${query(stdout, rest)}`)).json();
    expect(await read('')).toEqual({ data: '', offset: 6 });
    expect(await read('&offset=2&length=3')).toEqual({ data: 'llo', offset: 2 });
    expect(await read('&offset=100')).toEqual({ data: '', offset: 100 });
    expect(await (await fetch(`${url}/files/download?${query(stdout)}`)).text()).toBe('hello\n');
  });

  test('nothing outside the sandboxes can be read, not even through a link', async () => {
    const { url, sandbox, workDir } = await inspected();
    writeFileSync(join(workDir, 'private'), 'secret');
    symlinkSync(join(workDir, 'private'), join(sandbox, 'link'));
    for (const path of [
      '/etc/passwd',
      join(sandbox, '../../../../../../../../private'),
      join(sandbox, 'link'),
      'relative',
    ]) {
      const response = await fetch(`${url}/files/read?offset=0&path=${encodeURIComponent(path)}`);
      expect(response.status).toBe(404);
    }
  });

  test('bad requests get a line that says what was expected', async () => {
    const { url, sandbox } = await inspected();
    const statuses = async (path: string, init: RequestInit = {}): Promise<number> =>
      (await fetch(url + path, init)).status;
    expect(await statuses('/nonsense')).toBe(404);
    expect(await statuses('/state', { method: 'POST' })).toBe(405);
    expect(await statuses('/files/read')).toBe(400);
    expect(await statuses(`/files/read?path=${sandbox}/stdout&offset=x`)).toBe(400);
    expect(await statuses(`/files/read?path=${sandbox}&offset=0`)).toBe(400);
    expect(await statuses(`/files/browse?path=${sandbox}/stdout`)).toBe(400);
    expect(await statuses('/api/v1', { method: 'POST', body: 'no json' })).toBe(400);
    expect((await operator(url, { type: 'READ_FILE' })).status).toBe(400);
    expect((await operator(url, { type: 'PRUNE_IMAGES' })).status).toBe(501);
  });

  test('READ_FILE answers in base64', async () => {
    const { url, sandbox } = await inspected();
    const read_file = { path: join(sandbox, 'stdout'), offset: 0 };
    expect(await operator(url, { type: 'READ_FILE', read_file })).toEqual({
      status: 200,
      body: { type: 'READ_FILE', read_file: { size: 6, data: Buffer.from('hello\n').toString('base64') } },
    });
  });

  const RECORDINGS = '../shared/recordings/operator_get';
  describe.runIf(existsSync(RECORDINGS))('compared with a real agent (not run: no ../shared)', () => {
    /** The body of a recorded answer. */
    function recorded(name: string): unknown {
      const text = readFileSync(join(RECORDINGS, name), 'utf8');
      return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as unknown;
    }

    test.each([
      ['GET_HEALTH', '43-agent-GET_HEALTH.response'],
      ['GET_TASKS', '41-agent-GET_TASKS.response'],
    ])('%s has the same members', async (type, file) => {
      const { url } = await inspected();
      const { body } = await operator(url, { type });
      expect(Object.keys(outline(body) as object)).toEqual(Object.keys(recorded(file) as object));
      if (type === 'GET_TASKS') {
        const [ours, real] = [body, recorded(file)].map(
          (one) => (one as { get_tasks: Record<string, Record<string, unknown>[]> }).get_tasks,
        );
        expect(Object.keys(ours ?? {}).sort()).toEqual(Object.keys(real ?? {}).sort());
        const { discovery: _none, ...wanted } = real?.['launched_tasks']?.[0] ?? {};
        expect(Object.keys(ours?.['launched_tasks']?.[0] ?? {}).sort()).toEqual(Object.keys(wanted).sort());
        expect(ours?.['completed_tasks']).toHaveLength(1);
        expect(outline(ours?.['completed_tasks']?.[0]?.['statuses'])).toEqual(
          outline(real?.['completed_tasks']?.[0]?.['statuses']),
        );
      } else expect(body).toEqual(recorded(file));
    });

    test('GET /state has the same members, but for what describes a build of Mesos', async () => {
      const { url } = await inspected();
      const ours = (await (await fetch(`${url}/state`)).json()) as Record<string, unknown>;
      const real = recorded('44-agent-GET_state.response') as Record<string, unknown>;
      const absent = ['git_sha', 'build_date', 'build_time', 'build_user', 'master_hostname'];
      expect(Object.keys(ours).sort()).toEqual(
        Object.keys(real)
          .filter((key) => !absent.includes(key))
          .sort(),
      );
      const keys = (state: Record<string, unknown>, ...path: string[]): string[] => {
        let at: unknown = (state['frameworks'] as unknown[])[0];
        for (const step of path) at = ((at as Record<string, unknown>)[step] as unknown[])[0];
        return Object.keys(at as object).sort();
      };
      expect(keys(ours)).toEqual(keys(real));
      expect(keys(ours, 'executors')).toEqual(keys(real, 'executors'));
      const wanted = keys(real, 'executors', 'tasks').filter((key) => key !== 'discovery');
      expect(keys(ours, 'executors', 'tasks')).toEqual(wanted);
    });

    test('GET /containers and GET_CONTAINERS name the container and its process', async () => {
      const { url, agent } = await inspected();
      const pid = agent.processes()[0]?.pid;
      const [old] = (await (await fetch(`${url}/containers`)).json()) as Record<string, unknown>[];
      const [real] = recorded('47-agent-GET_containers.response') as Record<string, unknown>[];
      expect(Object.keys(old ?? {}).sort()).toEqual(Object.keys(real ?? {}).sort());
      expect(old?.['status']).toMatchObject({ executor_pid: pid });
      const { body } = await operator(url, { type: 'GET_CONTAINERS' });
      expect(body).toMatchObject({ get_containers: { containers: [{ container_status: { executor_pid: pid } }] } });
    });
  });
});
