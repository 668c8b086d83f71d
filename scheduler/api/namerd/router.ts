/** namerd's HTTP API, on the scheduler's own listener. */
import { type ErrorRequestHandler, Router } from 'express';
import type { RoutingPolicy } from '../../policy/routing-policy.ts';
import { BindingFailed } from './answer.ts';
import { dtabRoutes } from './dtabs.ts';
import { nameRoutes } from './names.ts';
import { WatchStreams } from './watch-streams.ts';

/** `policy` throws an `ApiError` where this scheduler does not lead. */
export function namerdRouter(policy: () => RoutingPolicy): Router {
  const router = Router();
  const streams = new WatchStreams();
  dtabRoutes(router, policy, streams);
  nameRoutes(router, policy, streams);
  router.use(bindingErrors);
  return router;
}

/** That a name cannot be evaluated is told as it is: it is no fault of this process that a log would explain. */
const bindingErrors: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (!(error instanceof BindingFailed)) return next(error);
  response.status(500).json({ error: error.message });
};
