/** What the parameters of a client mean for its connections, where no limit is infinity. Pure. */
import type { ClientParams } from '../config/client-params.ts';
import type { PoolLimits } from '../endpoint/pool.ts';

const NEVER = Number.POSITIVE_INFINITY;

export function poolLimits({ hostConnectionPool, clientSession }: ClientParams): PoolLimits {
  const { minSize, maxSize, maxWaiters, idleTimeMs } = hostConnectionPool;
  return {
    minSize,
    maxSize: maxSize ?? NEVER,
    maxWaiters: maxWaiters ?? NEVER,
    idleMs: Math.min(idleTimeMs ?? NEVER, clientSession.idleTimeMs ?? NEVER),
    lifeMs: clientSession.lifeTimeMs ?? NEVER,
  };
}
