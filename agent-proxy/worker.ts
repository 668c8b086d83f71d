/**
 * A worker: serves the sockets that its supervisor holds. It is told what to do by one message, lives as long as its
 * supervisor, and drains when it is told to.
 */
import { setFlagsFromString } from 'node:v8';
import type { Ending } from './accept/ending.ts';
import { listenOn } from './accept/listen-on.ts';
import { type AssembledProxy, createProxy } from './proxy.ts';
import type { FromWorker, ToWorker, WorkerStart } from './supervisor/messages.ts';
import { BoundedLog } from './telemetry/log.ts';
import { crewOf } from './workers/crew.ts';

/** A supervisor that died takes its workers with it, soon: its successor wants the ports. */
const ORPHAN_GRACE_MS = 500;

/**
 * The heap grows in steps of 2 MB instead of 8, and is collected sooner: names that come and go must not leave tens of
 * megabytes behind. Not on the command line, where it would make the space for young objects small too.
 */
const FRUGAL_HEAP = '--optimize-for-size';

/** Runs until the supervisor is gone or says that it is over. */
export async function work(): Promise<void> {
  if (process.send === undefined) throw new Error('--worker is internal: a worker is started by its supervisor');
  setFlagsFromString(FRUGAL_HEAP);
  // Ctrl-C reaches the whole group, the end of a terminal too; what follows is the supervisor's decision.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const start = await firstMessage();
  const log = new BoundedLog();
  const proxy = createProxy(start.spec, start.workerRestarts, log, () => tell({ type: 'shutdown' }), crewOf(start));
  let stopping = false;
  const stop = (ending: Ending, graceMs: number | null): void => {
    if (stopping) return;
    stopping = true;
    proxy.drain(graceMs, ending).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('disconnect', () => {
    stop('replaced', ORPHAN_GRACE_MS);
    // It may have had all the time in the world until now.
    setTimeout(() => process.exit(1), 2 * ORPHAN_GRACE_MS);
  });
  process.on('message', (message: ToWorker) => {
    if (message.type === 'drain') stop(message.ending, message.graceMs);
  });
  const taken = await listen(start, proxy);
  if (taken !== null) {
    tell(taken);
    return;
  }
  tell({ type: 'listening' });
  proxy.start();
  await new Promise<never>(() => undefined);
}

/** The admin listener is the first worker's: it shows the figures of all. While it is replaced, the kernel has callers wait. */
async function listen({ spec, fds, index: worker }: WorkerStart, proxy: AssembledProxy): Promise<FromWorker | null> {
  for (const [index, { ip, port, serves, backlog }] of spec.listeners.entries()) {
    if (serves.kind === 'admin' && worker > 0) continue;
    const servers = proxy.acceptors[index] ?? [];
    const own = fds[index] ?? [];
    try {
      for (const [at, server] of servers.entries()) {
        const fd = own[at];
        if (fd === undefined) throw new Error(`no descriptor for ${ip}:${port}`);
        await listenOn(server, fd, backlog);
      }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      return { type: 'listen-failed', code, ip, port };
    }
  }
  return null;
}

function firstMessage(): Promise<WorkerStart> {
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
