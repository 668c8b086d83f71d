/**
 * What a proxy process is to do, decided by its supervisor from the command line, the environment and the
 * configuration file, and told to each worker as plain JSON.
 */
import type { PrefixRule } from '../routing/prefix-rules.ts';

/** A listening socket and who serves it. The position in {@link ProxySpec.listeners} is the position of its descriptor. */
export interface ListenerSpec {
  readonly ip: string;
  readonly port: number;
  /** The admin server, or the router with this label. */
  readonly serves: { readonly kind: 'admin' } | { readonly kind: 'router'; readonly label: string };
}

export interface StaticRouterSpec {
  readonly label: string;
  readonly dtab: readonly PrefixRule[];
}

/**
 * `mesh`: under a scheduler, which tells the services; an outgoing and an incoming router.
 * `static`: alone, with the routers of a configuration file.
 */
export type ModeSpec =
  | {
      readonly kind: 'mesh';
      readonly agentId: string;
      readonly taskId: string;
      readonly nodeIp: string;
      readonly schedulers: readonly string[];
      readonly clusterKey: string | null;
    }
  | { readonly kind: 'static'; readonly routers: readonly StaticRouterSpec[]; readonly clusterKey: string | null };

export interface ProxySpec {
  readonly version: string;
  readonly listeners: readonly ListenerSpec[];
  readonly mode: ModeSpec;
  readonly dataDir: string;
  readonly accessLog: boolean;
}

/** Labels of the two routers of a mesh. */
export const OUTGOING = 'outgoing';
export const INCOMING = 'incoming';
