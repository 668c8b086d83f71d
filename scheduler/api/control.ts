/** The proxies' side of the API but for their reports: enrol, subscribe (an endless stream) and want. */
import express, { type Request, type Router } from 'express';
import { enrollSchema, subscribeSchema, wantSchema } from '../../agent-proxy/control/contract.ts';
import {
  CONTROL_ENROLL_PATH,
  CONTROL_SUBSCRIBE_PATH,
  CONTROL_WANT_PATH,
} from '../../agent-proxy/control/wire-words.ts';
import type { ControlPlane } from '../control-plane.ts';
import type { Claim, EnrolOutcome } from '../proxy-keys.ts';
import { bearerOf, notTheProxy } from './auth.ts';
import { ApiError } from './errors.ts';

/** In the scope `bound` it names all services that the node uses. */
const MAX_SUBSCRIBE = '4mb';
const MAX_WANT = '4mb';

type Leader = () => ControlPlane | null;

function leading(plane: Leader): ControlPlane {
  const current = plane();
  if (current === null) throw new ApiError(503, 'the scheduler is starting');
  return current;
}

const REFUSALS: Readonly<Record<Exclude<EnrolOutcome, 'enrolled'>, readonly [status: number, why: string]>> = {
  'wrong-token': [401, 'this is not the token of this task'],
  'no-task': [404, 'no agent has this task (any more)'],
  'other-key': [409, 'the proxy of this task has enrolled already, with another key'],
  unavailable: [503, 'the enrolment cannot be kept now; try again'],
};

/** For who has no key yet. */
export function enrolRouter(plane: Leader): Router {
  const router = express.Router();
  router.post(CONTROL_ENROLL_PATH, express.json({ limit: '4kb', type: () => true }), async (request, response) => {
    const parsed = enrollSchema.safeParse(request.body);
    if (!parsed.success) throw new ApiError(400, 'the body is not an enroll message');
    const outcome = await leading(plane).keys.enrol(parsed.data);
    if (outcome !== 'enrolled') throw new ApiError(...REFUSALS[outcome]);
    response.status(204).end();
  });
  return router;
}

/** For who has shown a key that may be right. */
export function controlRouter(plane: Leader): Router {
  const router = express.Router();
  const leadingFor = (claim: Claim, request: Request): ControlPlane => {
    const current = leading(plane);
    if (!current.keys.admits(claim, bearerOf(request))) throw notTheProxy();
    return current;
  };

  router.post(CONTROL_SUBSCRIBE_PATH, express.json({ limit: MAX_SUBSCRIBE, type: () => true }), (request, response) => {
    const parsed = subscribeSchema.safeParse(request.body);
    if (!parsed.success) throw new ApiError(400, 'the body is not a subscribe message');
    const current = leadingFor(parsed.data, request);
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

  router.post(CONTROL_WANT_PATH, express.json({ limit: MAX_WANT, type: () => true }), (request, response) => {
    const parsed = wantSchema.safeParse(request.body);
    if (!parsed.success) throw new ApiError(400, 'the body does not say which services are wanted');
    if (!leadingFor(parsed.data, request).want(parsed.data))
      throw new ApiError(409, 'this session is not known (any more): subscribe again');
    response.status(204).end();
  });

  return router;
}
