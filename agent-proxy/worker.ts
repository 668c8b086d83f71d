/**
 * A worker: serves the sockets that its supervisor holds. It is told what to do by one message, lives as long as its
 * supervisor, and drains when it is told to.
 */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { Ending } from './accept/ending.ts';
import { listenOn } from './accept/listen-on.ts';
import { hasDefaults, MESH_ADMIN, meshRouters } from './config/mesh-config.ts';
import { EDGE, INCOMING, OUTGOING, type ProxySpec } from './config/spec.ts';
import { sha256Of } from './control/code-archive.ts';
import { OwnCode } from './control/own-code.ts';
import { OwnConfig } from './control/own-config.ts';
import { makeHelpersYield } from './helper-threads.ts';
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

/** Runs until the supervisor is gone or says that it is over. `version`: of this code, which may be newer than its supervisor. */
export async function work(version: string): Promise<void> {
  if (process.send === undefined) throw new Error('--worker is internal: a worker is started by its supervisor');
  setFlagsFromString(FRUGAL_HEAP);
  makeHelpersYield();
  // Ctrl-C reaches the whole group, the end of a terminal too; what follows is the supervisor's decision.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const start = await firstMessage();
  const log = new BoundedLog();
  const spec = ownSpec(start.spec, version);
  const code = ownCode(start);
  const config = new OwnConfig(spec.mesh?.config ?? null, start.configRefusal, {
    ask: (wanted) => tell({ type: 'configure', wanted }),
  });
  const shutdown = (): void => tell({ type: 'shutdown' });
  const proxy = createProxy(spec, start.workerRestarts, log, shutdown, crewOf(start), code, config);
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
    else if (message.type === 'alone') proxy.join();
    else if (message.type === 'upgrade') code.told(message.upgrade);
    else if (message.type === 'config-refused') config.refused(message.refusal);
  });
  const taken = await listen(start, proxy);
  if (taken !== null) {
    tell(taken);
    return;
  }
  tell({ type: 'listening' });
  proxy.start();
  // Two with one link would take it from each other.
  if (!start.isBeside) proxy.join();
  await new Promise<never>(() => undefined);
}

/**
 * What the routers of a mesh are is a matter of the code, and this code may be another than the supervisor's. (Of a
 * configuration that a scheduler gave, the supervisor has had this same code say what comes of it.)
 */
function ownSpec(spec: ProxySpec, version: string): ProxySpec {
  if (spec.mesh === null || !hasDefaults(spec.mesh.config)) return { ...spec, version };
  const portOf = (label: string): number | null =>
    spec.listeners.find(({ serves }) => serves.kind === 'router' && serves.label === label)?.port ?? null;
  const ports = { outgoing: portOf(OUTGOING) ?? 0, incoming: portOf(INCOMING) ?? 0, edge: portOf(EDGE) };
  return { ...spec, version, admin: MESH_ADMIN, routers: meshRouters({ ...spec.mesh.listen, ports }) };
}

/** Under a scheduler, and where it speaks with it, a worker knows its code by the file that it was started from. */
function ownCode({ spec, index, upgrade }: WorkerStart): OwnCode {
  const [, file] = process.argv;
  const isAsked = spec.mesh !== null && index === 0 && file !== undefined;
  const sha256 = isAsked ? sha256Of(readFileSync(file)) : null;
  return new OwnCode(sha256, upgrade, {
    ask: (wanted) => tell({ type: 'upgrade', wanted, running: sha256 }),
    reached: () => tell({ type: 'reached' }),
  });
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
