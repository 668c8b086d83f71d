/** What a worker has to do with the other workers of its proxy: nothing where it is alone, else it leads or follows. */
import type { NamedRouter } from './admin-host.ts';
import { clientState } from './admin-host.ts';
import { loadSnapshot } from './control/last-snapshot.ts';
import { restore } from './control/mesh-control.ts';
import type { PeerKeys } from './control/peer-keys.ts';
import type { LocalInstances } from './health/local-instances.ts';
import { ServiceTable } from './routing/service-table.ts';
import { gaugeScope } from './telemetry/gauge-scope.ts';
import type { Log } from './telemetry/log.ts';
import { exportTree } from './telemetry/merge.ts';
import type { MetricsTree } from './telemetry/metrics-tree.ts';
import type { RecentRequests } from './telemetry/recent-requests.ts';
import type { TrafficCounter } from './telemetry/traffic.ts';
import type { Crew } from './workers/crew.ts';
import { Followers } from './workers/followers.ts';
import { Following } from './workers/following.ts';
import { ToldTable } from './workers/told-table.ts';

/** The table of a worker: others hear from the one that leads. */
export function tableOf({ place }: Crew): ServiceTable {
  return place.kind === 'leader' ? new ToldTable() : new ServiceTable();
}

export interface LeaderParts {
  readonly tree: MetricsTree;
  readonly table: ServiceTable;
  readonly keys: PeerKeys;
  readonly now: () => number;
  /** The highest epoch that was seen. */
  readonly epoch: () => number;
}

/** Those that this worker leads; null where there are none. */
export function makeFollowers({ place, count }: Crew, parts: LeaderParts): Followers | null {
  if (place.kind !== 'leader') return null;
  const { tree, table, keys, now, epoch } = parts;
  const mesh = table instanceof ToldTable ? { table, keys, epoch } : null;
  const followers = new Followers({ channel: place.channel, count, tree, now, mesh });
  tree.add(gaugeScope('workers', 'workers', {}, () => followers.figures()));
  return followers;
}

export interface FollowerParts {
  readonly tree: MetricsTree;
  readonly routers: readonly NamedRouter[];
  readonly recent: RecentRequests | null;
  readonly log: Log;
  readonly now: () => number;
  readonly dataDir: string;
  /** Under a scheduler. */
  readonly mesh: {
    readonly table: ServiceTable;
    readonly keys: PeerKeys;
    readonly traffic: TrafficCounter;
    readonly locals: LocalInstances;
  } | null;
}

/** What this worker does for the one that leads; null where there is none. */
export function makeFollowing({ place }: Crew, parts: FollowerParts): Following | null {
  if (place.kind !== 'follower') return null;
  const { tree, routers, recent, log, now, mesh } = parts;
  if (mesh !== null) {
    // It serves at once with what is on disk; what has changed since comes from the leader.
    const { snapshot } = loadSnapshot(parts.dataDir);
    if (snapshot !== null) restore(snapshot, mesh.table, mesh.keys);
  }
  return new Following({
    ...{ channel: place.channel, log, now, mesh },
    sources: {
      metrics: () => exportTree(tree, now),
      requests: () => [recent?.rows() ?? []],
      clients: () => one(clientState(routers)),
    },
  });
}

/** Each item as a list of its own, made when its turn comes. */
function* one<T>(items: Iterable<T>): Generator<readonly T[]> {
  for (const item of items) yield [item];
}
