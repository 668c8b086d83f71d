/** What was seen when somebody asked: the input of the checks. It says what was answered, and by whom; it judges nothing. */
import type { SchedulerConfig } from '../config.ts';
import type { MarathonStatus } from '../discovery/marathons.ts';
import type { Refusal } from '../permissions/refusals.ts';

/** A question over HTTP. */
export type Asked<T> =
  | { readonly kind: 'answered'; readonly url: string; readonly value: T; readonly clock: ClockReading | null }
  /** Answered with another status than 200. */
  | { readonly kind: 'refused'; readonly url: string; readonly status: number; readonly clock: ClockReading | null }
  /** No answer, or one that is not understood. */
  | { readonly kind: 'failed'; readonly url: string; readonly reason: string };

/** By the header `Date` (RFC 9110, section 6.6.1), which has whole seconds. */
export interface ClockReading {
  /** How far it is ahead of ours. Milliseconds. */
  readonly aheadMs: number;
  /** It may be so much more or less. */
  readonly plusMinusMs: number;
}

export interface MesosFacts {
  /** Base URLs that were asked, one after the other, until one answered; empty: ZooKeeper names no leader. */
  readonly masters: readonly string[];
  readonly version: Asked<string>;
  readonly frameworks: Asked<readonly FrameworkFacts[]>;
  readonly agents: Asked<readonly AgentFacts[]>;
  readonly roles: Asked<readonly RoleFacts[]>;
}

export interface FrameworkFacts {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly active: boolean;
  readonly connected: boolean;
}

export interface AgentFacts {
  readonly agentId: string;
  readonly hostname: string;
  /** Base URL of its HTTP server. */
  readonly url: string | null;
  /** Ranges of ports that it offers to any role. */
  readonly ports: readonly (readonly [first: number, last: number])[];
}

export interface RoleFacts {
  readonly name: string;
  readonly weight: number;
  /** CPUs that all frameworks of the role may have together; null: there is no limit. */
  readonly cpusLimit: number | null;
}

export interface MarathonFacts {
  readonly prefix: string;
  readonly url: string;
  /** How the scheduler fares with it; null while this scheduler does not lead. */
  readonly followed: MarathonStatus | null;
  readonly info: Asked<{ readonly version: string; readonly leader: string | null }>;
}

export interface ZooKeeperFacts {
  /** What it is for. */
  readonly use: 'masters' | 'state';
  readonly servers: readonly ZooKeeperServer[];
}

export interface ZooKeeperServer {
  /** `host:port`. */
  readonly server: string;
  readonly answer:
    | {
        readonly kind: 'serving';
        readonly mode: string;
        readonly averageMs: number;
        readonly mostMs: number;
        readonly tookMs: number;
      }
    /** It is there and takes connections, and does not say more (`4lw.commands.whitelist`). */
    | { readonly kind: 'silent'; readonly tookMs: number }
    /** It says that it serves nobody: it is not part of a quorum. */
    | { readonly kind: 'not-serving'; readonly said: string }
    | { readonly kind: 'unreachable'; readonly reason: string };
}

export interface NameFacts {
  readonly name: string;
  /** Who has it in its configuration; null: nobody, it is DC/OS' own. */
  readonly usedFor: string | null;
  readonly answer:
    | { readonly kind: 'found'; readonly addresses: readonly string[]; readonly tookMs: number }
    | { readonly kind: 'not-found'; readonly reason: string };
}

export interface NodeFacts {
  readonly agentId: string;
  readonly hostname: string;
  readonly ip: string;
  readonly state: string;
  readonly reason: string | null;
  /** Since its table was last known to be the scheduler's; null: it has not said, or has no session. */
  readonly tableAgeSeconds: number | null;
  /** Null where it was not asked: there were too many. */
  readonly proxy: Asked<ProxyFigures> | null;
  /** Which of the proxy's ports somebody else has; only where no proxy of ours answers. */
  readonly taken: readonly number[];
}

/** Of the group `proc` of a proxy's metrics; null where it does not say. */
export interface ProxyFigures {
  readonly openFilesLimit: number | null;
  /** Periods of the CPU controller in which its cgroup was held back, and all in which it ran (`cpu.stat`). */
  readonly throttledPeriods: number | null;
  readonly periods: number | null;
}

export interface AgentClock {
  readonly hostname: string;
  readonly clock: ClockReading | null;
}

export interface Facts {
  readonly config: Pick<
    SchedulerConfig,
    'name' | 'role' | 'publicRole' | 'user' | 'principal' | 'ports' | 'bind' | 'proxy' | 'constraints'
  >;
  readonly leading: boolean;
  /** The framework's id at Mesos; null: none yet. */
  readonly frameworkId: string | null;
  readonly subscribed: boolean;
  /** What the cluster has refused to the scheduler at work, each until the same is allowed. */
  readonly refusals: readonly Refusal[];
  readonly mesos: MesosFacts;
  readonly marathons: readonly MarathonFacts[];
  readonly zookeepers: readonly ZooKeeperFacts[];
  readonly names: readonly NameFacts[];
  readonly nodes: readonly NodeFacts[];
  readonly clocks: readonly AgentClock[];
}
