/**
 * Looks at everything that the mesh stands on, when somebody asks: the parts are asked side by side, each in bounded time,
 * and what one of them does keeps no other from being judged.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeStatus } from '../../framework/index.ts';
import type { SchedulerConfig } from '../config.ts';
import type { ControlPlane } from '../control-plane.ts';
import type { ControlPlaneLogger } from '../control-plane-options.ts';
import { marathonSources } from '../marathon-access.ts';
import { openMasters } from '../master-access.ts';
import type { Refusals } from '../permissions/refusals.ts';
import { isInner } from '../proxy/inner.ts';
import { CHECKS } from './checks.ts';
import type { Facts, MarathonFacts } from './facts.ts';
import { type Finding, SEVERITIES, type Severity } from './finding.ts';
import { judgeApp } from './from-app.ts';
import { Asker } from './gather/ask.ts';
import { gatherApp } from './gather/from-app.ts';
import { gatherMarathon } from './gather/marathon.ts';
import { gatherMesos } from './gather/mesos.ts';
import { gatherNames } from './gather/names.ts';
import { gatherClocks, gatherNodes } from './gather/nodes.ts';
import { gatherZooKeeper } from './gather/zookeeper.ts';

/** Of servers that may have much to say. */
const SERVER_MS = 5_000;
/** Of proxies, agents and ZooKeeper's servers, which are near and say little. */
const NEAR_MS = 1_500;
/** How long the leading master is looked for. */
const LEADER_MS = 2_000;
const LOOK_MS = 50;
/** Apps that are looked at at the same time. Anybody may ask, and each goes to Marathon with a login. */
const MOST_APPS = 4;
/** What the doctor is answered is told by the doctor. */
const UNNOTED = { marathon: (): void => undefined };

export interface DoctorOptions {
  readonly config: SchedulerConfig;
  readonly logger: ControlPlaneLogger;
  /** What the cluster has refused to the scheduler at work. */
  readonly refusals: Pick<Refusals, 'list'>;
  /** Under which URL proxies reach this scheduler; null: not known yet. */
  advertise(): string | null;
  /** Null while this scheduler does not lead. */
  plane(): ControlPlane | null;
}

export interface Diagnosis {
  readonly at: string;
  readonly tookMs: number;
  readonly worst: Severity;
  readonly checks: readonly { readonly name: string; readonly findings: readonly Finding[] }[];
}

/** Too many ask at once. */
export class BusyError extends Error {
  constructor() {
    super(`${MOST_APPS} apps are being looked at already; ask again in a few seconds`);
    this.name = 'BusyError';
  }
}

export class Doctor {
  readonly #options: DoctorOptions;
  /** Who asks while it is being looked gets the same. */
  #underWay: Promise<Facts> | null = null;
  #apps = 0;

  constructor(options: DoctorOptions) {
    this.#options = options;
  }

  /**
   * `app`: also how this app reaches the proxies of its nodes. Never rejects for what is wrong outside. @throws {BusyError} when
   * more apps are asked for than can be looked at.
   */
  async examine(app: string | null): Promise<Diagnosis> {
    if (app !== null && this.#apps >= MOST_APPS) throw new BusyError();
    const begun = performance.now();
    const at = new Date().toISOString();
    this.#underWay ??= this.#gather().finally(() => {
      this.#underWay = null;
    });
    const [facts, ofApp] = await Promise.all([this.#underWay, app === null ? null : this.#examineApp(app)]);
    const checks = CHECKS.map(({ name, judge }) => ({ name, findings: judge(facts) }));
    if (ofApp !== null) checks.push({ name: 'from-app', findings: ofApp });
    const worst = worstOf(checks.flatMap(({ findings }) => findings));
    return { at, tookMs: Math.round(performance.now() - begun), worst, checks };
  }

  async #examineApp(app: string): Promise<readonly Finding[]> {
    const { config, plane, logger } = this.#options;
    const access = openMasters(config, logger);
    this.#apps += 1;
    try {
      const leading = plane();
      const nodes = leading?.nodes() ?? [];
      const nodeAt = (host: string): NodeStatus | undefined =>
        nodes.find(({ status }) => status.hostname === host || status.ip === host)?.status;
      const facts = await gatherApp(app, {
        marathons: marathonSources(config, access, UNNOTED),
        agentIp: (host) => nodeAt(host)?.ip ?? null,
        isInner: (host) => {
          const node = nodeAt(host);
          return node !== undefined && isInner(config, node);
        },
        instances: (name) => leading?.services().find((service) => service.name === name)?.endpoints ?? [],
        out: config.ports.out,
        timeoutMs: NEAR_MS,
      });
      return judgeApp(app, facts, config);
    } finally {
      this.#apps -= 1;
      await access.masters.close();
    }
  }

  async #gather(): Promise<Facts> {
    const { config, logger, plane } = this.#options;
    const leading = plane();
    // Of its own: that of the framework is there only while this scheduler leads, and a login is tried anew so.
    const access = openMasters(config, logger);
    const server = new Asker({ ...access, timeoutMs: SERVER_MS });
    const near = new Asker({ timeoutMs: NEAR_MS });
    try {
      const mesosAndClocks = this.#leaders(access.masters).then(async (bases) => {
        const mesos = await gatherMesos(server, bases);
        const clocks = mesos.agents.kind === 'answered' ? await gatherClocks(near, mesos.agents.value) : [];
        return { mesos, clocks };
      });
      const [{ mesos, clocks }, marathons, zookeepers, names, nodes] = await Promise.all([
        mesosAndClocks,
        this.#marathons(leading),
        this.#zookeepers(),
        gatherNames(this.#names(), NEAR_MS),
        gatherNodes(near, leading === null ? [] : nodesOf(leading, config), config, NEAR_MS),
      ]);
      return {
        config,
        leading: leading !== null,
        frameworkId: leading?.framework.frameworkId() ?? null,
        subscribed: leading?.framework.subscribed() ?? false,
        refusals: this.#options.refusals.list(),
        ...{ mesos, clocks, marathons, zookeepers, names, nodes },
      };
    } finally {
      await Promise.all([server.close(), near.close(), access.masters.close()]);
    }
  }

  async #leaders(masters: ReturnType<typeof openMasters>['masters']): Promise<readonly string[]> {
    // A session with ZooKeeper takes a moment.
    for (const until = performance.now() + LEADER_MS; masters.current().length === 0 && performance.now() < until; ) {
      await sleep(LOOK_MS);
    }
    return masters.current();
  }

  async #marathons(leading: ControlPlane | null): Promise<readonly MarathonFacts[]> {
    const { config, logger } = this.#options;
    const access = openMasters(config, logger);
    const statuses = leading?.discovery.statuses() ?? [];
    try {
      return await Promise.all(
        marathonSources(config, access, UNNOTED).map(async ({ prefix, url, access: { authorization, tls } }) => {
          const asker = new Asker({ authorization, tls, timeoutMs: SERVER_MS });
          const followed = statuses.find((status) => status.prefix === prefix) ?? null;
          return await gatherMarathon(asker, { prefix, url, followed }).finally(() => asker.close());
        }),
      );
    } finally {
      await access.masters.close();
    }
  }

  async #zookeepers() {
    const { master, state } = this.#options.config;
    return await Promise.all([
      ...(master.kind === 'zookeeper' ? [gatherZooKeeper('masters', master.ensemble, NEAR_MS)] : []),
      ...(state.kind === 'zookeeper' ? [gatherZooKeeper('state', state.ensemble, NEAR_MS)] : []),
    ]);
  }

  /** Hosts that the options name. */
  #names(): (readonly [host: string, usedFor: string])[] {
    const { config, advertise } = this.#options;
    const { master, state, marathons } = config;
    const own = advertise();
    return [
      ...(master.kind === 'urls'
        ? master.urls.map((url) => [new URL(url).hostname, 'the Mesos master'] as const)
        : master.ensemble.servers.map(({ host }) => [host, 'ZooKeeper'] as const)),
      ...(state.kind === 'zookeeper' ? state.ensemble.servers.map(({ host }) => [host, 'ZooKeeper'] as const) : []),
      ...marathons.map(({ url }) => [new URL(url).hostname, 'Marathon'] as const),
      ...(own === null ? [] : [[new URL(own).hostname, 'this scheduler, which proxies ask (--advertise)'] as const]),
    ];
  }
}

function nodesOf(plane: ControlPlane, config: SchedulerConfig): Parameters<typeof gatherNodes>[1] {
  return plane.nodes().map(({ status, session }) => {
    const { agentId, hostname, ip, state, reason, taskId } = status;
    const { reportedAt = null, tableAgeMs = null } = session?.sync ?? {};
    const ageMs = reportedAt === null || tableAgeMs === null ? null : performance.now() - reportedAt + tableAgeMs;
    return {
      ...{ agentId, hostname, ip, state, reason: state === 'healthy' ? null : reason, hasTask: taskId !== null },
      isInner: isInner(config, status),
      tableAgeSeconds: ageMs === null ? null : Math.round(ageMs / 1_000),
    };
  });
}

function worstOf(findings: readonly Finding[]): Severity {
  const worst = Math.max(0, ...findings.map(({ severity }) => SEVERITIES.indexOf(severity)));
  return SEVERITIES[worst] ?? 'ok';
}
