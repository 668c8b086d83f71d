/** A supervisor that cannot start a worker for a while keeps its sockets and goes on trying. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseCommand } from '../../../agent-proxy/config/options.ts';
import { ENV } from '../../../agent-proxy/control/environment.ts';
import { CodeStore } from '../../../agent-proxy/supervisor/code-store.ts';
import { supervise } from '../../../agent-proxy/supervisor/supervisor.ts';
import type { Log } from '../../../agent-proxy/telemetry/log.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { freePorts, useTempDir } from '../../fixtures/proxy.ts';
import { bundleProxy } from '../../fixtures/proxy-bundle.ts';

const IP = '127.0.35.12';

test('a worker that cannot be spawned is tried again until it can be', async () => {
  const bundle = await bundleProxy();
  const directory = await useTempDir();
  const [out, incoming, admin] = await freePorts(IP, 3);
  const words = ['--node-ip', IP, '--ports', `out=${out},in=${incoming},admin=${admin}`, '--data-dir', directory];
  const environment = { [ENV.agentId]: 'a', [ENV.taskId]: 't', [ENV.schedulers]: 'http://127.0.0.1:9' };
  const command = parseCommand(words, environment, '0.0.0-test');
  if (command.kind !== 'run' || command.source.kind !== 'scheduler') throw new Error('not under a scheduler');
  const { spec } = command.source;
  const warnings: string[] = [];
  const log = { dropped: 0, info: () => undefined, warn: (text: string) => warnings.push(text) } as unknown as Log;
  const program = join(directory, 'node');
  const reread = () => Promise.reject(new Error('there is nothing to read'));
  const codes = new CodeStore(join(directory, 'code'), [bundle.file]);
  const launch = [bundle.file, '--worker'];
  const ended = supervise({ spec, workers: 1, launch, codes, log, reread, meshSpec: reread, program });
  try {
    await eventually('it has tried more than once', () => warnings.filter((text) => text === 'worker died').length > 1);
    await symlink(process.execPath, program);
    await eventually('the worker answers', async () => {
      const ping = await send(`http://${IP}:${admin}/admin/ping`, { timeoutMs: 2_000 });
      return ping.body === 'pong';
    });
  } finally {
    await eventually('it is told to stop', async () => {
      const stop = await send(`http://${IP}:${admin}/admin/shutdown`, { method: 'POST', timeoutMs: 2_000 });
      return stop.status < 300;
    });
    await ended;
    await bundle.remove();
  }
  expect(warnings).toContain('worker');
});
