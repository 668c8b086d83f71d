/** A refusal with what its reader needs to know: what the name was bound to, and what to do instead. */
import type { Refusal } from '../balance/picker.ts';
import { hintForHost } from '../respond/hints.ts';
import type { RequestFacts } from './request-facts.ts';

export function explainedRefusal(request: RequestFacts, refusal: Refusal): Refusal {
  const { branch, logical, head, connection } = request;
  // A peer knows the names, and says them to its own client.
  const names = request.answersPeer || branch === null ? '' : `${logical} is ${branch.client.id}: `;
  const detail = names + refusal.detail;
  if (refusal.code !== 'unknown-name' || head.host === null) return { ...refusal, detail };
  const hint = hintForHost(head.host, connection.transport.local?.port ?? null);
  return hint === null ? { ...refusal, detail } : { ...refusal, detail, hint };
}
