/** Whether a request that failed is sent again: asks the rule, and keeps count of what it said. */

import type { Route } from '../bind/route.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { decideRetry, type Failure, type NoRetry } from '../resilience/retries.ts';
import type { Attempt } from './attempt.ts';
import type { RequestBody } from './request-body.ts';
import type { RouterRuntime } from './router-runtime.ts';

/** What the rule asks of a request, and keeps of it. */
export interface Retried {
  readonly runtime: RouterRuntime;
  readonly route: Route | null;
  readonly head: RequestHead;
  readonly body: RequestBody | null;
  readonly isAnswered: boolean;
  readonly isFirstHop: boolean;
  retries: number;
  previousBackoffMs: number;
  /** Milliseconds until it has to be over. */
  leftMs(now: number): number;
}

/** True: the budgets have paid for one more attempt, which the caller makes after `previousBackoffMs`. */
export function mayTryAgain(exchange: Retried, failure: Failure, { branch }: Attempt): boolean {
  const { route, runtime, head, body } = exchange;
  if (route === null) return false;
  const now = runtime.now();
  const { client } = branch;
  const isRequeue = failure === 'unsent';
  if (!isRequeue && !exchange.isFirstHop) return refused(exchange, branch, isRequeue, 'not-first-hop');
  // What never left is charged to the client too, which has a budget of its own (Finagle).
  if (isRequeue && client.requeueBudget.balance(now) < 1) return refused(exchange, branch, isRequeue, 'budget');
  const decision = decideRetry(
    route.retries,
    {
      failure,
      method: head.method,
      replayable: body === null || body.isReplayable,
      responseStarted: exchange.isAnswered,
      retries: exchange.retries,
      previousBackoffMs: exchange.previousBackoffMs,
      leftMs: exchange.leftMs(now),
    },
    now,
    runtime.random(),
  );
  if (decision.kind === 'no') return refused(exchange, branch, isRequeue, decision.because);
  if (isRequeue) {
    client.requeueBudget.tryWithdraw(now);
    client.scope.requeues.total += 1;
  }
  exchange.retries += 1;
  exchange.previousBackoffMs = decision.afterMs;
  route.scope.retries += 1;
  return true;
}

function refused({ route }: Retried, { client }: Attempt['branch'], isRequeue: boolean, because: NoRetry): false {
  const { requeues } = client.scope;
  if (because === 'budget') {
    if (route !== null) route.scope.budgetExhausted += 1;
    if (isRequeue) requeues.budgetExhausted += 1;
  } else if (isRequeue && because === 'limit') requeues.requestLimit += 1;
  else if (isRequeue && because === 'body') requeues.cannotRetry += 1;
  return false;
}
