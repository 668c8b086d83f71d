/** A node as its configuration is concerned. Pure. */
import type { NodeView } from '../node-view.ts';
import { isInner } from '../proxy/inner.ts';

export interface ConfiguredNode {
  readonly agentId: string;
  readonly hostname: string;
  readonly ip: string;
  readonly isPublic: boolean;
  readonly hasEdge: boolean;
  /** Only its edge router and its control endpoint are reached from here. */
  readonly isInner: boolean;
  /** The scheduler runs there. */
  readonly isOwn: boolean;
  /** Nothing is to be expected of its proxy now. */
  readonly away: boolean;
  readonly healthy: boolean;
  /** What its proxy says that it runs; 0 before it has said it. */
  readonly revision: number;
  /** Which version its task is, by the framework's word. */
  readonly goal: string | null;
  readonly refusal: { readonly revision: number; readonly reason: string } | null;
}

/** `scheduler`: where it runs, and where it is reached. */
export function configuredNode(
  { status, session }: NodeView,
  scheduler: {
    readonly hostname: string;
    readonly advertise: string;
    readonly config: Parameters<typeof isInner>[0];
  },
): ConfiguredNode {
  const { agentId, hostname, ip, isPublic, state, taskId } = status;
  return {
    ...{ agentId, hostname, ip, isPublic },
    isOwn: hostname === scheduler.hostname || ip === new URL(scheduler.advertise).hostname,
    isInner: isInner(scheduler.config, status),
    hasEdge: session?.hasEdge === true,
    away: taskId === null || (state !== 'healthy' && state !== 'unhealthy'),
    healthy: state === 'healthy' && session?.connected === true,
    revision: session?.configRevision ?? 0,
    goal: status.goal,
    refusal: session?.configRefusal ?? null,
  };
}
