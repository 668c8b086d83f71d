/** Routing policy over HTTP: namerd's API, our own additions to it, and the audit log of all writes. */
import { Router } from 'express';
import type { RoutingPolicy } from '../policy/routing-policy.ts';
import { ambiguousNamesRouter } from './ambiguous-names.ts';
import { auditRouter } from './audit.ts';
import { dtabsRouter } from './dtabs.ts';
import { ApiError } from './errors.ts';
import { type Leadership, leadingPlane } from './leading.ts';
import { namerdRouter } from './namerd/router.ts';
import { shiftsRouter } from './shifts.ts';

export function policyRouter(leadership: Leadership): Router {
  const policy = (): RoutingPolicy => {
    const current = leadingPlane(leadership).policy;
    if (current === null) throw new ApiError(503, 'the scheduler is starting');
    return current;
  };
  const router = Router();
  router.use(namerdRouter(policy));
  router.use(dtabsRouter(policy));
  router.use(shiftsRouter(() => policy().shifts));
  router.use(ambiguousNamesRouter(() => policy().names));
  router.use(auditRouter(() => policy().audit));
  return router;
}
