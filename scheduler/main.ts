/**
 * The scheduler's process: options → listener → state → lead → Mesos and Marathon, in this order, so that the API is up
 * whatever happens to the others; and the same way back when it is told to stop. Tasks live on.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import pino from 'pino';
import {
  createFramework,
  type Framework,
  type FrameworkOptions,
  openFileStore,
  type StateStore,
} from '../framework/index.ts';
import { advertisedUrl } from './advertise.ts';
import { createApi, listen } from './api/server.ts';
import { readConfig, type SchedulerConfig } from './config.ts';
import { ControlPlane, type ControlPlaneLogger } from './control-plane.ts';
import { takeLead } from './identity.ts';
import { loadArtifacts } from './proxy-artifact.ts';

export interface MainContext {
  readonly version: string;
  /** The directory of the built files. */
  readonly dist: string;
  readonly relaunch: readonly string[];
}

export interface RunningScheduler {
  /** Where it listens. */
  readonly url: string;
  /** Base URL that agents and proxies are told. */
  readonly advertise: string;
  readonly plane: ControlPlane;
  /** Rejects when the scheduler cannot go on; never resolves. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

export interface SchedulerParts {
  readonly logger: ControlPlaneLogger;
  /** Tests put another framework in its place. */
  createFramework(options: FrameworkOptions): Framework;
}

/** Runs until SIGTERM or SIGINT, or until the scheduler cannot go on. */
export async function main(args: readonly string[], context: MainContext): Promise<void> {
  const config = readConfig(args);
  const destination = pino.destination({ dest: 1, sync: false, maxLength: 4 * 1024 * 1024 });
  const logger = pino({ level: config.logLevel, base: { part: 'scheduler' } }, destination);
  const stopped = stopSignal();
  try {
    const scheduler = await startScheduler(config, context, { logger, createFramework });
    try {
      await Promise.race([stopped.promise, scheduler.failed]);
    } finally {
      await scheduler.stop();
    }
  } finally {
    stopped.release();
    destination.end();
  }
}

/** @throws when the listener, the state or the build is not as it must be, with one sentence that says what to do. */
export async function startScheduler(
  config: SchedulerConfig,
  context: Pick<MainContext, 'version' | 'dist'>,
  parts: SchedulerParts,
): Promise<RunningScheduler> {
  const { logger } = parts;
  const { version, dist } = context;
  const artifacts = await loadArtifacts({ dist, version, files: config.proxy.archives });
  let plane: ControlPlane | null = null;
  const app = createApi({ config, version, dist, artifacts, plane: () => plane, logger });
  const server = await listen(app, config.listen).catch(async (error: unknown) => {
    await artifacts.close();
    throw error;
  });
  const url = baseUrlOf(server);
  const { address, port } = server.address() as AddressInfo;
  let store: StateStore | null = null;
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  // Who does not wait for it yet must not crash on it.
  failed.catch(() => undefined);
  const stop = async (): Promise<void> => {
    const stopping = plane;
    plane = null;
    await stopping?.stop();
    await closed(server);
    await Promise.all([store?.close(), artifacts.close()]);
    logger.info({}, 'stopped; the proxies serve on');
  };

  let advertise: string;
  let leading: ControlPlane;
  try {
    advertise = config.advertise ?? (await advertisedUrl(address, port, config.master));
    store = await openFileStore(config.state.directory);
    const identity = await takeLead(store);
    leading = new ControlPlane({
      config,
      version,
      advertise,
      hostname: hostname(),
      store,
      identity,
      artifacts,
      logger,
      createFramework: parts.createFramework,
      fatal: (error) => {
        logger.error({ reason: error.message }, 'the scheduler cannot go on');
        fail(error);
      },
    });
    plane = leading;
    await leading.start();
    logger.info(
      {
        url: advertise,
        version,
        epoch: identity.epoch,
        master: config.master,
        marathon: config.marathon,
        archive: artifacts.wanted.path,
      },
      'the scheduler leads',
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, advertise, plane: leading, failed, stop };
}

function baseUrlOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** Streams never end by themselves, and a reader may hold any other connection open. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 200).unref();
  });
}

function stopSignal(): { promise: Promise<void>; release(): void } {
  let release = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    const signals = ['SIGTERM', 'SIGINT'] as const;
    const stop = (): void => resolve();
    for (const signal of signals) process.on(signal, stop);
    release = () => {
      for (const signal of signals) process.off(signal, stop);
    };
  });
  return { promise, release };
}
