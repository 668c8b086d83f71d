/**
 * What a proxy process is to do, decided by its supervisor from the command line, the environment and the
 * configuration file, and told to each worker as plain JSON.
 */
import type { Enrolment } from '../control/enrolment.ts';
import type { AdminConfig, NamerConfig, RouterConfig, TelemeterConfig } from './schema/linkerd.ts';

/** A listening socket and who serves it. The position in {@link ProxySpec.listeners} is the position of its descriptor. */
export interface ListenerSpec {
  readonly ip: string;
  readonly port: number;
  /** Connections that the kernel keeps until they are accepted; absent for the system's choice. */
  readonly backlog?: number;
  /** The admin server, or a server of a router: by the router's label and the server's place in its list. */
  readonly serves:
    | {
        readonly kind: 'admin';
        /** Nothing of it but what the scheduler asks of a proxy, and for that it needs the key. */
        readonly controlOnly?: true;
      }
    | { readonly kind: 'router'; readonly label: string; readonly server: number };
}

/** Where a proxy under a scheduler listens, as far as its configuration does not say otherwise. */
export interface MeshListen {
  readonly ip: string;
  /** Whatever a configuration says, it listens on that address alone. */
  readonly isFixed: boolean;
  /**
   * On a public node: where everything listens but the edge and the control endpoint, whatever a configuration says. Absent
   * elsewhere: at `ip`.
   */
  readonly innerIp?: string;
  /** `edge` is null on nodes that are not public. */
  readonly ports: {
    readonly outgoing: number;
    readonly incoming: number;
    readonly admin: number;
    readonly edge: number | null;
  };
}

/** A configuration that a scheduler gave, as it was written. */
export interface GivenConfig {
  readonly revision: number;
  readonly document: unknown;
}

/** Who the proxy is under a scheduler. */
export interface MeshSpec {
  readonly agentId: string;
  readonly taskId: string;
  readonly nodeIp: string;
  readonly schedulers: readonly string[];
  readonly listen: MeshListen;
  /** What it runs; null for the defaults of its code, before any scheduler said anything. */
  readonly config: GivenConfig | null;
}

/** What Marathon's namer may log in with. */
export interface Credentials {
  readonly serviceAccount: string | null;
  readonly basic: string | null;
}

export interface ProxySpec {
  readonly version: string;
  readonly listeners: readonly ListenerSpec[];
  readonly admin: Pick<AdminConfig, 'security' | 'shutdownGraceMs'>;
  readonly routers: readonly RouterConfig[];
  readonly namers: readonly NamerConfig[];
  readonly telemetry: readonly TelemeterConfig[];
  /** Null for a proxy that runs by itself, from a configuration file. */
  readonly mesh: MeshSpec | null;
  /** What is local to this node, for transformers; null where nobody said. */
  readonly nodeIp: string | null;
  /** Of launches without a token. */
  readonly clusterKey: string | null;
  /** Null where it was launched without a token. */
  readonly enrolment: Enrolment | null;
  readonly credentials: Credentials;
  readonly dataDir: string;
  /** One line on standard output for each request. */
  readonly accessLog: boolean;
  /** Connections that clients may have open at a time, as the limit of open files allows. */
  readonly maxConnections: number;
}

/** Labels of the routers of a mesh; the last one is there on public agents. */
export const OUTGOING = 'outgoing';
export const INCOMING = 'incoming';
export const EDGE = 'edge';
