/** What a master says that does not lead, or not yet. `/health` and `/version` are answered by every master. */
import type { ServerResponse } from 'node:http';
import { sendEmpty, sendText } from './http-io.ts';

/** Where the leading master listens. */
export interface LeaderAddress {
  readonly hostname: string;
  readonly port: number;
}

export type NotLeading =
  /**
   * Another master leads, as this one believes. A master that was restarted may name itself for seconds: its node of
   * before is still in ZooKeeper.
   */
  | { readonly kind: 'follower'; readonly leader: LeaderAddress }
  /** Elected, and still reading its registry. */
  | { readonly kind: 'recovering'; readonly leader: LeaderAddress };

/** `path` is the short one: `/state` for `/master/state`. */
export function answerNotLeading(standing: NotLeading, path: string, response: ServerResponse): void {
  if (path === '/redirect') return redirectTo(standing.leader, '', response);
  if (standing.kind === 'recovering') return sendText(response, 503, 'Master has not finished recovery');
  redirectTo(standing.leader, `/master${path}`, response);
}

/** Protocol-relative, as recorded: the caller keeps its scheme. */
export function redirectTo({ hostname, port }: LeaderAddress, path: string, response: ServerResponse): void {
  sendEmpty(response, 307, { Location: `//${hostname}:${port}${path}` });
}
