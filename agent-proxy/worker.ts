/**
 * The worker: serves the sockets that its supervisor holds. It is told what to do by one message, lives as long as its
 * supervisor, and drains when it is told to.
 */
import type { Server } from 'node:http';
import { listenOn } from './accept/listener.ts';
import type { ProxySpec } from './config/spec.ts';
import { type AssembledProxy, createProxy } from './proxy.ts';
import type { FromWorker, ToWorker } from './supervisor/messages.ts';
import { BoundedLog } from './telemetry/log.ts';

/** A supervisor that died takes its worker with it, soon: its successor wants the ports. */
const ORPHAN_GRACE_MS = 500;

/** Runs until the supervisor is gone or says that it is over. */
export async function work(): Promise<void> {
  if (process.send === undefined) throw new Error('--worker is internal: a worker is started by its supervisor');
  // Ctrl-C reaches the whole group; when to stop is the supervisor's decision.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  const start = await firstMessage();
  const log = new BoundedLog();
  const proxy = createProxy(start.spec, start.workerRestarts, log, () => tell({ type: 'shutdown' }));
  let stopping = false;
  const stop = (graceMs: number): void => {
    if (stopping) return;
    stopping = true;
    proxy.drain(graceMs).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('disconnect', () => stop(ORPHAN_GRACE_MS));
  process.on('message', (message: ToWorker) => {
    if (message.type === 'drain') stop(message.graceMs);
  });
  const taken = await listen(start.spec, start.fds, proxy);
  if (taken !== null) {
    tell(taken);
    return;
  }
  tell({ type: 'listening' });
  proxy.start();
  await new Promise<never>(() => undefined);
}

async function listen(spec: ProxySpec, fds: readonly number[], proxy: AssembledProxy): Promise<FromWorker | null> {
  for (const [index, { ip, port }] of spec.listeners.entries()) {
    const server: Server | undefined = proxy.servers[index];
    const fd = fds[index];
    if (server === undefined || fd === undefined) throw new Error(`no descriptor for ${ip}:${port}`);
    try {
      await listenOn(server, fd);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      return { type: 'listen-failed', code, ip, port };
    }
  }
  return null;
}

function firstMessage(): Promise<Extract<ToWorker, { type: 'start' }>> {
  return new Promise((resolve, reject) => {
    process.once('disconnect', () => reject(new Error('the supervisor is gone')));
    process.once('message', (message: ToWorker) => {
      if (message.type === 'start') resolve(message);
      else reject(new Error(`expected start, got ${message.type}`));
    });
  });
}

function tell(message: FromWorker): void {
  // The supervisor may be gone, which `disconnect` says.
  process.send?.(message, undefined, undefined, () => undefined);
}
