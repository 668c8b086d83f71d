/** A whole scheduler on port 0 with a fake framework and a scripted Marathon; cleaned up after each test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach } from 'vitest';
import type { FrameworkOptions, NodeStatus } from '../../../framework/index.ts';
import { readConfig } from '../../../scheduler/config.ts';
import { type RunningScheduler, startScheduler } from '../../../scheduler/main.ts';
import { ControlClient } from './control-client.ts';
import { FakeFramework } from './fake-framework.ts';
import { FakeMarathon } from './fake-marathon.ts';

export interface SchedulerUnderTest {
  readonly url: string;
  readonly framework: FakeFramework;
  readonly running: RunningScheduler;
  readonly logs: string[];
  get(path: string): Promise<{ status: number; json: unknown; text: string; headers: Headers }>;
  client(agentId: string, taskId: string, rest?: object): ControlClient;
  stop(): Promise<void>;
}

export interface UseScheduler {
  readonly directory: string;
  readonly marathon: FakeMarathon;
  start(options?: { args?: string[]; nodes?: Record<string, Partial<NodeStatus>> }): Promise<SchedulerUnderTest>;
}

export function useScheduler(): UseScheduler {
  const cleanups: (() => void | Promise<void>)[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'nodemesh-scheduler-'));
  mkdirSync(join(directory, 'dist', 'dashboard'), { recursive: true });
  writeFileSync(join(directory, 'dist', 'proxy.mjs'), '// the proxy\n');
  writeFileSync(join(directory, 'dist', 'dashboard', 'index.html'), '<title>nodemesh</title>');

  let marathon: FakeMarathon | null = null;
  beforeEach(async () => {
    marathon = await FakeMarathon.start();
  });
  const use: UseScheduler = {
    directory,
    get marathon() {
      if (marathon === null) throw new Error('Marathon is there while a test runs');
      return marathon;
    },
    async start({ args = [], nodes = {} } = {}) {
      const config = readConfig([
        '--master=http://127.0.0.1:1',
        `--marathon=${use.marathon.url}`,
        `--state=file:${join(directory, 'state')}`,
        '--listen=127.0.0.1:0',
        ...args,
      ]);
      const logs: string[] = [];
      const log = (fields: object, message: string): void => void logs.push(`${message} ${JSON.stringify(fields)}`);
      const frameworks: FakeFramework[] = [];
      const running = await startScheduler(
        config,
        { version: '0.1.0', dist: join(directory, 'dist') },
        {
          logger: { debug: log, info: log, warn: log, error: log },
          createFramework: (options: FrameworkOptions) => {
            const framework = new FakeFramework(options);
            for (const [agentId, rest] of Object.entries(nodes)) framework.set(agentId, rest);
            frameworks.push(framework);
            return framework;
          },
        },
      );
      const framework = frameworks[0];
      if (framework === undefined) throw new Error('no framework was made');
      const clients: ControlClient[] = [];
      let stopped = false;
      const stop = async (): Promise<void> => {
        if (stopped) return;
        stopped = true;
        for (const client of clients) client.close();
        await running.stop();
      };
      cleanups.unshift(stop);
      return {
        url: running.advertise,
        framework,
        running,
        logs,
        stop,
        async get(path) {
          const response = await fetch(`${running.advertise}${path}`);
          const text = await response.text();
          const isJson = response.headers.get('content-type')?.includes('application/json') ?? false;
          return {
            status: response.status,
            json: isJson ? JSON.parse(text) : undefined,
            text,
            headers: response.headers,
          };
        },
        client(agentId, taskId, rest = {}) {
          const client = new ControlClient(running.advertise, { agentId, taskId, ...rest });
          clients.push(client);
          return client;
        },
      };
    },
  };
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
    await marathon?.stop();
    marathon = null;
    rmSync(join(directory, 'state'), { recursive: true, force: true });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return use;
}
