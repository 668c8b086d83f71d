/** A request that was answered at the second attempt, for the tests of what is made of it. */
import type { Attempt, TracedRequest } from '../../../agent-proxy/tracing/attempt.ts';
import { TraceContext } from '../../../agent-proxy/tracing/context.ts';

/** What `performance.timeOrigin` would be: 2026-11-25 12:00 UTC. */
export const TIME_ORIGIN = Date.UTC(2026, 10, 25, 12);

let word = 0;
const random = (): number => {
  word += 1;
  return word;
};

export function rootContext(): TraceContext {
  const context = new TraceContext();
  context.setRoot(random);
  context.decide(true);
  return context;
}

function childOf(parent: TraceContext): TraceContext {
  const context = new TraceContext();
  context.setChildOf(parent, random);
  return context;
}

export function tracedRequest(more: Partial<TracedRequest> = {}): TracedRequest {
  const context = more.context ?? rootContext();
  const attempt: Attempt = {
    context: childOf(context),
    startedAt: 101,
    wroteAt: 102,
    headAt: 105,
    endedAt: 106,
    client: '/#/io.l5d.marathon/web',
    instance: 'web.1',
    address: '127.0.0.1',
    port: 31_000,
    status: 503,
    judgement: 'retryable-failure',
    reason: 'app-error',
  };
  return {
    context,
    router: 'outgoing',
    remoteAddress: '127.0.0.9',
    method: 'GET',
    target: '/cart?card=4111',
    host: 'web',
    startedAt: 100,
    endedAt: 120,
    service: '/svc/web',
    status: 200,
    reason: null,
    attempts: [
      attempt,
      {
        ...attempt,
        context: childOf(context),
        startedAt: 107,
        wroteAt: 108,
        headAt: 118,
        endedAt: 119,
        instance: 'web.2',
        port: 31_001,
        status: 200,
        judgement: 'success',
        reason: null,
      },
    ],
    ...more,
  };
}
