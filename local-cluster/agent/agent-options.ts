/** How an agent of the embedded cluster is set up, and what it then offers: resources in post-refinement shape. */
import type { AgentId, AgentInfo, Attribute, Range, Resource } from '../../framework/mesos-http-client/messages.ts';
import type { MasterEndpoint } from '../agent-link.ts';
import type { LeaderDetector } from '../scheduler-link.ts';

/** A wait that doubles from `firstMs` to `maxMs`. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

export interface AgentOptions {
  /** From 1; gives each agent its own range of ports, since all share one kernel. */
  readonly index: number;
  readonly hostname: string;
  /** Where it listens, and what its tasks get as `HOST`. */
  readonly ip: string;
  /** 0 for any free one. */
  readonly port: number;
  /** A public agent has everything STATICally reserved to `slave_public`, as in DC/OS. */
  readonly isPublic: boolean;
  readonly cpus?: number;
  /** Megabytes. */
  readonly mem?: number;
  /** Megabytes. */
  readonly disk?: number;
  readonly portRanges?: readonly Range[];
  readonly attributes?: readonly Attribute[];
  /** Region and zone. */
  readonly domain?: AgentInfo['domain'];
  /** Sandboxes and the fetcher's cache. What an earlier run left there is removed at the start. */
  readonly workDir: string;
  /** Set for every process that the agent starts; a task cannot override it. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly leader: LeaderDetector<MasterEndpoint>;
  /** The id from before, of an agent that was switched off; it has none of its tasks any more. */
  readonly agentId?: AgentId | undefined;
  /** Honour the grace period of a KILL call, as Mesos does with `--http_command_executor` only. */
  readonly honourKillGrace?: boolean;
  /** How long a reboot takes. */
  readonly rebootMs?: number;
  /** How many terminated tasks keep their sandbox. */
  readonly keptSandboxes?: number;
  /** A task's stdout or stderr longer than this is rotated. */
  readonly maxLogBytes?: number;
  /** When an unacknowledged status update is sent again; Mesos: after 10 s, doubling to 10 min. */
  readonly updateRetry?: Backoff;
  /** When an unanswered registration is sent again. */
  readonly registrationRetry?: Backoff;
}

/** More than a laptop has: the embedded cluster shares a machine and must never refuse a task for want of a number. */
const DEFAULT_CPUS = 8;
const DEFAULT_MEM = 16_384;
const DEFAULT_DISK = 65_536;

const FIRST_PORT = 20_000;
const PORTS_PER_AGENT = 200;
/** The proxy's: outgoing, incoming, HTTP/2 and edge routers, and its admin. Each agent has an address of its own for them. */
const PROXY_PORTS: readonly Range[] = [
  { begin: 4140, end: 4143 },
  { begin: 9990, end: 9990 },
];
/** The role of public agents in DC/OS. */
export const PUBLIC_ROLE = 'slave_public';

/** The proxy's ports, and 200 for tasks that no other agent offers. */
export function defaultPortRanges(index: number): Range[] {
  const begin = FIRST_PORT + PORTS_PER_AGENT * (index - 1);
  return [...PROXY_PORTS, { begin, end: begin + PORTS_PER_AGENT - 1 }];
}

/** All that the agent has. */
export function resourcesOf(options: AgentOptions): Resource[] {
  const reservations = options.isPublic ? [{ type: 'STATIC' as const, role: PUBLIC_ROLE }] : [];
  const scalar = (name: string, value: number): Resource => ({
    name,
    type: 'SCALAR',
    scalar: { value },
    reservations: [...reservations],
  });
  return [
    scalar('cpus', options.cpus ?? DEFAULT_CPUS),
    scalar('mem', options.mem ?? DEFAULT_MEM),
    scalar('disk', options.disk ?? DEFAULT_DISK),
    {
      name: 'ports',
      type: 'RANGES',
      ranges: { range: [...(options.portRanges ?? defaultPortRanges(options.index))] },
      reservations: [...reservations],
    },
  ];
}
