/** The proxies' side of the API: subscribe (an endless stream) and report. */
import express, { type Router } from 'express';
import { reportSchema, subscribeSchema } from '../../agent-proxy/control/contract.ts';
import { CONTROL_REPORT_PATH, CONTROL_SUBSCRIBE_PATH } from '../../agent-proxy/control/wire-words.ts';
import type { ControlPlane } from '../control-plane.ts';
import { ApiError } from './errors.ts';

/** A report lists what a node's clients asked for, with a histogram for each service. */
const MAX_REPORT = '8mb';

export function controlRouter(plane: () => ControlPlane | null): Router {
  const router = express.Router();
  const leading = (): ControlPlane => {
    const current = plane();
    if (current === null) throw new ApiError(503, 'the scheduler is starting');
    return current;
  };

  router.post(CONTROL_SUBSCRIBE_PATH, express.json({ limit: '64kb', type: () => true }), (request, response) => {
    const parsed = subscribeSchema.safeParse(request.body);
    if (!parsed.success) throw new ApiError(400, 'the body is not a subscribe message');
    const current = leading();
    // The stream lives as long as the proxy: small frames go out at once, and a dead peer is noticed.
    request.socket.setNoDelay(true);
    request.socket.setKeepAlive(true, 5_000);
    const outcome = current.subscribe(parsed.data, response);
    switch (outcome.kind) {
      case 'accepted':
        return;
      case 'stale-leader':
        response.status(409).json({ error: 'this scheduler is not the leader any more', epoch: current.epoch });
        return;
      case 'full':
        throw new ApiError(503, 'there are too many control sessions');
    }
  });

  router.post(CONTROL_REPORT_PATH, express.json({ limit: MAX_REPORT, type: () => true }), (request, response) => {
    const parsed = reportSchema.safeParse(request.body);
    if (!parsed.success) throw new ApiError(400, 'the body is not a report');
    if (!leading().report(parsed.data))
      throw new ApiError(409, 'this session is not known (any more): subscribe again');
    response.status(204).end();
  });

  return router;
}
