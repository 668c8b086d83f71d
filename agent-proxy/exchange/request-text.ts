/** The head of a request as it goes to the next hop: what came, less what was of its hop, and what the proxy adds. */
import { PEER_HEADERS } from '../control/wire-words.ts';
import { FIELD } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request-head.ts';

/** What goes on of a request. */
export interface Forwarded {
  readonly head: RequestHead;
  readonly target: string;
  /** The header lines that go on, each with its CR LF; null where they are those of the head. */
  readonly changedLines: string | null;
  readonly upgrade: string | null;
}

/** Always HTTP/1.1 (RFC 9110, 6.2): the answer is turned into what the client understands. `lines` are what is added. */
export function requestText(request: Forwarded, lines: string): string {
  const { head, upgrade } = request;
  const switching = upgrade === null ? '' : `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  return `${beginning(request)}${head.via}${lines}${switching}\r\n`;
}

/** One slice of what came, wherever it goes on as it came. */
function beginning({ head, target, changedLines }: Forwarded): string {
  if (changedLines === null && head.isPlain && target === head.target) return head.forwarded;
  return `${head.method} ${target} HTTP/1.1\r\n${hostLine(head)}${changedLines ?? head.kept}`;
}

/** Host stays where it was, unless another one counts or there was none, which HTTP/1.1 does not allow (RFC 9112, 3.2). */
function hostLine(head: RequestHead): string {
  return head.keepsHost ? '' : `Host: ${head.host ?? ''}\r\n`;
}

/** To a peer: what proves us, what the name was bound to, and the instance that was chosen. */
export function peerLines(key: string, bound: string, instance: string): string {
  return `${PEER_HEADERS.key}: ${key}\r\n${PEER_HEADERS.bound}: ${bound}\r\n${PEER_HEADERS.instance}: ${instance}\r\n`;
}

/** The lines in which a peer says by which name it has bound a request, and to what; null where it says nothing. */
export function namesOfPeer(head: RequestHead): string | null {
  const service = head.value(FIELD.dstService);
  const client = head.value(FIELD.dstClient);
  if (service === null || client === null) return null;
  const residual = head.value(FIELD.dstResidual);
  const lines = `l5d-dst-service: ${service}\r\nl5d-dst-client: ${client}\r\n`;
  return residual === null ? lines : `${lines}l5d-dst-residual: ${residual}\r\n`;
}
