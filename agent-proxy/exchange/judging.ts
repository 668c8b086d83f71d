/** The one judgement of an answer: by the classifier of its name, and, where a peer gave it, by what the peer says of it. */
import type { Refusal } from '../balance/picker.ts';
import type { ReasonCode } from '../control/reason-codes.ts';
import { FIELD } from '../http1/fields.ts';
import { type ResponseHead, responseValue } from '../http1/response-head.ts';
import { type Judgement, judgeResponse } from '../resilience/classifier.ts';
import type { ClassifierKind } from '../resilience/params.ts';
import type { Failure } from '../resilience/retries.ts';
import { detailOf, reasonOf } from '../respond/error-response.ts';
import type { Attempt } from './attempt.ts';

export type Answer =
  | { readonly kind: 'answer'; readonly judgement: Judgement; readonly reason: ReasonCode | null }
  /** The peer proxy says that it sent nothing, or that it may be sent again: there is no answer yet. */
  | { readonly kind: 'peer-refused'; readonly refusal: Refusal; readonly failure: Failure };

const SUCCESS: Answer = { kind: 'answer', judgement: 'success', reason: null };

export function judgeAnswer(attempt: Attempt, head: ResponseHead, classifier: ClassifierKind): Answer {
  const { status } = head;
  // The usual answer, without a look at what else it says.
  const err = responseValue(head, FIELD.err);
  const successClass = responseValue(head, FIELD.successClass);
  if (status < 500 && err === null && successClass === null) return SUCCESS;
  const isRetryable = responseValue(head, FIELD.retryable) === 'true';
  if (attempt.path !== null && err !== null && isRetryable) return peerRefused(attempt, err);
  const judgement = judgeResponse(classifier, attempt.method, status, isRetryable, successClass);
  if (judgement === 'success') return { kind: 'answer', judgement, reason: null };
  return { kind: 'answer', judgement, reason: reasonOf(err) ?? 'app-error' };
}

function peerRefused({ where }: Attempt, err: string): Answer {
  const code = reasonOf(err) ?? 'nack';
  const refusal = { code, detail: `${detailOf(err)} (said the proxy at ${where})` };
  return { kind: 'peer-refused', refusal, failure: code === 'reset' ? 'unanswered' : 'unsent' };
}
