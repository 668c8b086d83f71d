/** What the admin server of a proxy shows and does, read from the proxy's parts. */
import type { AdminHost, DelegateAnswer, DelegateQuestion } from './admin/host.ts';
import { renderTable } from './admin/table-view.ts';
import type { RouterConfig } from './config/schema/linkerd.ts';
import type { ProxySpec } from './config/spec.ts';
import type { MeshControl } from './control/mesh-control.ts';
import type { MadeNamers } from './namers/make-namers.ts';
import type { Router } from './routers.ts';
import type { Interpreter } from './routing/binding.ts';
import { DtabError, readDtab } from './routing/dtab.ts';
import { readPath } from './routing/path.ts';
import type { ServiceTable } from './routing/service-table.ts';
import type { Telemeters } from './telemeters.ts';
import { renderJson } from './telemetry/json.ts';
import type { Log } from './telemetry/log.ts';
import type { MetricsTree } from './telemetry/metrics-tree.ts';
import { renderPrometheus } from './telemetry/prometheus.ts';
import type { Followers } from './workers/followers.ts';

/** A router with what binds its names. */
export interface NamedRouter {
  readonly config: RouterConfig;
  readonly router: Router;
  readonly interpreter: Interpreter;
}

export interface AdminParts {
  readonly spec: ProxySpec;
  readonly listenIp: string;
  readonly tree: MetricsTree;
  readonly table: ServiceTable;
  readonly control: MeshControl | null;
  readonly routers: readonly NamedRouter[];
  readonly namers: MadeNamers;
  readonly telemeters: Telemeters;
  readonly now: () => number;
  readonly log: Log;
  readonly notReady: () => string | null;
  readonly shutdown: () => void;
  /** The other workers; null where there are none. */
  readonly followers: Followers | null;
}

export function adminHost(parts: AdminParts): AdminHost {
  const { spec, table, control, now } = parts;
  return {
    guard: { listenIp: parts.listenIp, clusterKey: spec.clusterKey, token: spec.enrolment?.token ?? null },
    notReady: parts.notReady,
    serverInfo: () => ({
      name: 'nodemesh',
      version: spec.version,
      node: process.version,
      pid: process.pid,
      uptimeMs: Math.round(now()),
    }),
    config: () => effectiveConfig(spec),
    shutdown: parts.shutdown,
    ...figures(parts),
    table: () => renderTable(table, control?.epochs.highest ?? 0),
    boundNames: () => parts.namers.boundNames(),
    delegate: (question, signal) => delegate(parts.routers, question, signal),
    namerState: (prefix) => namerState(parts, prefix),
    interpreterState: (name) => interpreterState(parts.routers, name),
    announce: control === null ? null : (announce) => control.announced(announce),
    isOurScheduler:
      control === null || spec.enrolment === null ? null : (authorization, body) => control.knows(authorization, body),
  };
}

/** What is shown, and set, of all workers together. */
function figures({
  tree,
  telemeters,
  routers,
  now,
  log,
  followers,
}: AdminParts): Pick<AdminHost, 'prometheus' | 'metricsJson' | 'recentRequests' | 'clientState' | 'logging'> {
  const { recent } = telemeters;
  const { prefix } = telemeters.prometheus;
  if (followers === null) {
    return {
      prometheus: () => renderPrometheus(tree, now, { prefix }),
      metricsJson: (query) => renderJson(tree, now, query),
      recentRequests: () => recent?.rows() ?? null,
      clientState: () => clientState(routers),
      logging: log.levels,
    };
  }
  return {
    async *prometheus() {
      yield* renderPrometheus(await followers.metrics(), now, { prefix });
    },
    metricsJson: async (query) => renderJson(await followers.metrics(), now, query),
    recentRequests: () => (recent === null ? null : followers.requests(recent.rows())),
    async *clientState() {
      yield* clientState(routers);
      yield* followers.clients();
    },
    logging: {
      list: () => log.levels.list(),
      set(logger, level) {
        const why = log.levels.set(logger, level);
        if (why === null) followers.setLevel(logger, level);
        return why;
      },
    },
  };
}

/** The configuration as it runs, as linkerd.yaml would say it. */
function effectiveConfig({ version, admin, routers, namers, telemetry, mesh, dataDir }: ProxySpec): unknown {
  return { version, admin, routers, namers, telemetry, mesh, dataDir };
}

async function delegate(
  routers: readonly NamedRouter[],
  { router: label, path, dtab }: DelegateQuestion,
  signal: AbortSignal,
): Promise<DelegateAnswer> {
  const named = label === null ? routers[0] : routers.find(({ config }) => config.label === label);
  if (named === undefined) return { kind: 'refused', status: 404, why: `there is no router ${label ?? ''}` };
  try {
    const base = [...readDtab(dtab), ...readDtab(named.config.dtab)];
    const activity = named.interpreter.delegate(base, [], readPath(path));
    return await new Promise((resolve) => {
      const look = (): void => {
        const { state } = activity;
        if (state.kind === 'pending') return;
        stop();
        if (state.kind === 'ok') resolve({ kind: 'tree', tree: state.value });
        else resolve({ kind: 'refused', status: 503, why: state.reason });
      };
      let stop = (): void => undefined;
      stop = activity.observe(look);
      signal.addEventListener('abort', stop, { once: true });
      look();
    });
  } catch (error) {
    if (!(error instanceof DtabError)) throw error;
    return { kind: 'refused', status: 400, why: error.message };
  }
}

export function* clientState(routers: readonly NamedRouter[]): Iterable<readonly [string, unknown]> {
  for (const { router } of routers) {
    for (const client of router.clients()) yield [`${router.label}${client.id}`, client.describe()];
  }
}

function namerState({ table, control, namers }: AdminParts, prefix: string): unknown {
  if (control === null || prefix !== 'io.l5d.marathon') return namers.state(prefix);
  return { source: 'scheduler', revision: table.revision, ready: table.ready, services: table.serviceCount };
}

function interpreterState(routers: readonly NamedRouter[], name: string): unknown {
  const named = routers.find(({ config }) => config.label === name);
  return named === undefined ? null : { kind: named.config.interpreter.kind, dtab: named.config.dtab };
}
