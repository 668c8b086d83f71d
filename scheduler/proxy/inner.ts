/** Which proxies serve the outside at their edge alone: those of public agents. Pure. */
import type { AgentView } from '../../framework/index.ts';
import { isLoopback } from '../loopback.ts';
import type { ProxyPlan } from './goal.ts';

/** Where such a proxy listens for its own node. */
export const INNER_IP = '127.0.0.1';

/**
 * Whether all but the edge router and the control endpoint of the proxy is for its own node. An agent on a loopback address,
 * as in the local cluster, is reached by nobody else anyway.
 */
export function isInner(
  { publicListeners }: Pick<ProxyPlan, 'publicListeners'>,
  { isPublic, ip }: Pick<AgentView, 'isPublic' | 'ip'>,
): boolean {
  return publicListeners === 'edge' && isPublic && !isLoopback(ip);
}
