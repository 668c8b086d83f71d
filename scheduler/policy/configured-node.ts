/** A node as its configuration is concerned. Pure. */
import type { NodeView } from '../node-view.ts';

export interface ConfiguredNode {
  readonly agentId: string;
  readonly hostname: string;
  readonly ip: string;
  readonly isPublic: boolean;
  readonly hasEdge: boolean;
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
  scheduler: { readonly hostname: string; readonly advertise: string },
): ConfiguredNode {
  const { agentId, hostname, ip, isPublic, state, taskId } = status;
  return {
    ...{ agentId, hostname, ip, isPublic },
    isOwn: hostname === scheduler.hostname || ip === new URL(scheduler.advertise).hostname,
    hasEdge: session?.hasEdge === true,
    away: taskId === null || (state !== 'healthy' && state !== 'unhealthy'),
    healthy: state === 'healthy' && session?.connected === true,
    revision: session?.configRevision ?? 0,
    goal: status.goal,
    refusal: session?.configRefusal ?? null,
  };
}
