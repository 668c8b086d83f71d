/**
 * The scheduler's process: options → listener → state → lead → Mesos and Marathon, in this order, so that the API is up
 * whatever happens to the others; and the same way back when it is told to stop. Tasks live on.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import pino from 'pino';
import { createFramework, type Framework, type FrameworkOptions } from '../framework/index.ts';
import { NO_AUTHORIZATION } from '../framework/mesos-http-client/auth/authorization.ts';
import { advertisedUrl, shownMaster } from './advertise.ts';
import { AdminRouterCheck } from './api/admin-router.ts';
import { createApi, listen } from './api/server.ts';
import { readConfig, type SchedulerConfig } from './config.ts';
import { ControlPlane } from './control-plane.ts';
import type { ControlPlaneLogger } from './control-plane-options.ts';
import { Doctor } from './doctor/doctor.ts';
import { Erasure } from './erasure.ts';
import { takeLead } from './identity.ts';
import { type Lead, type Leadership, seekLead } from './leadership.ts';
import { openMasters } from './master-access.ts';
import { accountOf } from './permissions/account.ts';
import { Refusals } from './permissions/refusals.ts';
import { loadArtifacts } from './proxy/artifacts.ts';
import type { ProxyPlan } from './proxy/goal.ts';
import { loadGoals } from './proxy/goals.ts';

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
  let leadership: Leadership | null = null;
  const dcos = adminRouterOf(config);
  const refusals = new Refusals({ account: accountOf(config), logger, now: Date.now });
  let advertised = config.advertise;
  const app = createApi({
    config,
    dcos,
    refusals,
    version,
    dist,
    artifacts,
    doctor: new Doctor({ config, logger, refusals, plane: () => plane, advertise: () => advertised }),
    plane: () => plane,
    leader: () => leadership?.leader() ?? null,
    logger,
  });
  const server = await listen(app, config.listen).catch(async (error: unknown) => {
    await dcos?.close();
    await artifacts.close();
    throw error;
  });
  const url = baseUrlOf(server);
  const { address, port } = server.address() as AddressInfo;
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  // Who does not wait for it yet must not crash on it.
  failed.catch(() => undefined);
  const fatal = (error: Error): void => {
    logger.error({ reason: error.message }, 'the scheduler cannot go on');
    fail(error);
  };
  const releases: (() => Promise<void>)[] = [];
  let stopping = false;
  const stop = async (): Promise<void> => {
    stopping = true;
    const leading = plane;
    plane = null;
    await leading?.stop();
    await closed(server);
    for (const release of releases.splice(0).reverse()) await release();
    await dcos?.close();
    await artifacts.close();
    logger.info({}, 'stopped; the proxies serve on');
  };

  const begin = async (advertise: string, lead: Lead): Promise<void> => {
    const { store } = lead;
    lead.onLost((reason) => {
      // Given back by ourselves it is no loss.
      if (!stopping) fatal(new Error(`the lead is lost (${reason}); another scheduler takes over`));
    });
    const erasure = new Erasure({ store, logger, failed: fatal });
    releases.push(() => lead.release(erasure.isDone));
    releases.push(() => erasure.finish());
    const identity = await takeLead(store);
    const access = openMasters(config, logger);
    releases.push(async () => access.masters.close());
    const leading = new ControlPlane({
      config,
      version,
      advertise,
      hostname: hostname(),
      store,
      access: {
        ...access,
        authorization: refusals.watching(access.authorization ?? NO_AUTHORIZATION),
        mayCall: () => lead.mayCall(),
      },
      refusals,
      identity,
      goals: await loadGoals(store, artifacts, planOf(config)),
      logger,
      createFramework: parts.createFramework,
      erasure,
      fatal,
    });
    plane = leading;
    await leading.start();
    logger.info(
      {
        url: advertise,
        version,
        epoch: identity.epoch,
        master: shownMaster(config.master),
        marathon: config.marathons.map(({ url }) => url).join(','),
        archive: artifacts.wanted.path,
      },
      'the scheduler leads',
    );
  };

  try {
    const advertise = config.advertise ?? (await advertisedUrl(address, port, config.master));
    advertised = advertise;
    leadership = seekLead({ state: config.state, name: config.name, advertise, logger });
    const standing = leadership;
    releases.push(() => standing.stop());
    const leading = standing.won.then((lead) => begin(advertise, lead));
    // A directory is ours or it is not; the lead over ZooKeeper may come later, or never.
    if (config.state.kind === 'file') await leading;
    else
      leading.catch((error: unknown) => {
        if (!stopping) fatal(error instanceof Error ? error : new Error(String(error)));
      });
    return { url, advertise, failed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function planOf({ ports, bind, publicListeners, proxy }: SchedulerConfig): ProxyPlan {
  const { archives: _archives, ...task } = proxy;
  return { ports, bind, publicListeners, ...task };
}

function adminRouterOf({ adminRouter, name, mesosCa }: SchedulerConfig): AdminRouterCheck | null {
  if (adminRouter === null) return null;
  return new AdminRouterCheck({ url: adminRouter, service: name, ca: mesosCa, now: () => performance.now() });
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
