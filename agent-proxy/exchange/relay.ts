/**
 * The way back of an answer: its head as the client gets it, and where its body goes. A body that only the end of its
 * connection would end is framed in chunks, and chunks are taken off for a client that does not know them.
 */
import type { BodySink } from '../http1/body-sink.ts';
import { compressionOf, REMOVED_WHEN_COMPRESSED } from '../http1/compression.ts';
import { FIELD } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { joinedIn, type ResponseHead, responseValue } from '../http1/response-head.ts';
import type { ServerConnection } from '../http1/server-connection.ts';
import type { Attempt } from './attempt.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { clearedRelay } from './clear-context.ts';
import { CompressedBody } from './compressed-body.ts';
import type { Entrance } from './entrance.ts';
import type { Relay } from './relayed.ts';
import type { RouterRuntime } from './router-runtime.ts';

/** The request whose answer it is. */
export interface Answered {
  readonly head: RequestHead;
  readonly runtime: RouterRuntime;
  readonly entrance: Entrance;
  readonly attempt: Attempt | null;
  /** What is to stand behind the body of a TRACE; null for anything else. */
  readonly diagnostic: string | null;
}

const CLOSE = 'Connection: close\r\n';
const KEEP_ALIVE = 'Connection: keep-alive\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

export function relayFor(request: Answered, response: ResponseHead, connection: ServerConnection): Relay {
  const relay = framedRelay(request, response, connection);
  return request.entrance.config.clearContext ? clearedRelay(relay, response) : relay;
}

function framedRelay(request: Answered, response: ResponseHead, connection: ServerConnection): Relay {
  const { framing } = response;
  const { writer, mayKeepAlive } = connection;
  if (request.head.version === '1.0') return relayToHttp10(response, writer, mayKeepAlive);
  if (request.runtime.settings.compressionLevel !== 0) {
    const compressed = compressedRelay(request, response, connection);
    if (compressed !== null) return compressed;
  }
  if (request.diagnostic !== null) return inChunks(response, connection, request.diagnostic);
  if (framing === 'close') return inChunks(response, connection, null);
  const lines = mayKeepAlive ? '' : CLOSE;
  return { sink: writer, form: 'framed', keepAlive: mayKeepAlive, lines, changedLines: null, end: null };
}

/** Framed anew, with a text behind the body where there is one. */
function inChunks({ kept }: ResponseHead, { writer, mayKeepAlive }: ServerConnection, appended: string | null): Relay {
  const chunks = new ChunkWriter(writer);
  const lines = mayKeepAlive ? CHUNKED : CHUNKED + CLOSE;
  const end = (done: () => void): void => {
    if (appended !== null) chunks.text(appended);
    chunks.end();
    done();
  };
  return { sink: chunks, form: 'content', keepAlive: mayKeepAlive, lines, changedLines: unframed(kept), end };
}

/** It knows no chunks, and keeps a connection only if it is told so (RFC 9112, 9.3; appendix C.2.2). */
function relayToHttp10(response: ResponseHead, writer: BodySink, mayKeepAlive: boolean): Relay {
  const { kept, framing } = response;
  const keepAlive = mayKeepAlive && (framing === 'none' || framing === 'length');
  const lines = keepAlive ? KEEP_ALIVE : CLOSE;
  // Also where there is no body: an answer to HEAD says how GET would be answered.
  const isCoded = responseValue(response, FIELD.transferEncoding) !== null;
  const changedLines = isCoded ? unframed(kept) : null;
  return { sink: writer, form: 'content', keepAlive, lines, changedLines, end: null };
}

/** Null where the answer goes as it came. */
function compressedRelay(
  { head, runtime, attempt }: Answered,
  response: ResponseHead,
  { writer, mayKeepAlive }: ServerConnection,
): Relay | null {
  if (response.framing === 'none') return null;
  const compression = compressionOf(
    {
      method: head.method,
      version: head.version,
      status: response.status,
      acceptEncoding: head.header('accept-encoding'),
      header: (name) => joinedIn(response, name),
    },
    runtime.settings.compressionLevel,
  );
  if (compression.kind === 'identity') return null;
  const { coding, level, vary, etag } = compression;
  const body = new CompressedBody(writer, coding, level, () => {
    // A client that is slower still says so itself when it has caught up.
    if (!writer.isFull) attempt?.upstream?.resumeResponse();
  });
  const dropped = new Set([...REMOVED_WHEN_COMPRESSED, 'vary', 'etag', 'transfer-encoding']);
  const tag = etag === null ? '' : `ETag: ${etag}\r\n`;
  const close = mayKeepAlive ? '' : CLOSE;
  return {
    sink: body,
    form: 'content',
    keepAlive: mayKeepAlive,
    lines: `Content-Encoding: ${coding}\r\nVary: ${vary}\r\n${tag}${CHUNKED}${close}`,
    changedLines: without(response.kept, dropped),
    end: (done) => body.end(done),
    isFull: () => body.isFull,
  };
}

const FRAMING: ReadonlySet<string> = new Set(['transfer-encoding', 'content-length']);

function unframed(lines: string): string {
  return without(lines, FRAMING);
}

/** Header lines without those of some lower-case names. */
function without(lines: string, names: ReadonlySet<string>): string {
  return lines.replace(/^([^:\r\n]+):.*\r\n/gm, (line, name: string) => (names.has(name.toLowerCase()) ? '' : line));
}

/**
 * The head of an answer as it is written. `changedLines` are null where the answer's own go back; `lines` are those of
 * {@link Relay} and what the proxy adds.
 */
export function responseText(head: ResponseHead, changedLines: string | null, lines: string): string {
  const beginning =
    changedLines === null && head.isPlain
      ? head.forwarded
      : `HTTP/1.1 ${head.status}${head.reason}\r\n${changedLines ?? head.kept}`;
  return `${beginning}${head.via}${lines}\r\n`;
}

/** The head of a 101: the upgrade holds for this hop too. */
export function switchedText(head: ResponseHead): string {
  return responseText(head, null, `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`);
}
