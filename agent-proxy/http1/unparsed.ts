/**
 * Bytes that the parser does not take for a request (a method that it does not know, a head that is too long, two
 * lengths): what it says of them, and the answer, with a reason like every other one of the proxy.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorResponse } from '../respond/error-response.ts';

export interface Unparsed {
  readonly status: number;
  readonly detail: string;
}

/** Null where the connection broke, and nobody is left to answer. */
export function unparsed(error: NodeJS.ErrnoException): Unparsed | null {
  switch (error.code) {
    case 'HPE_INVALID_METHOD':
      return { status: 400, detail: 'its method is none that this proxy knows' };
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, detail: 'its head is too long' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, detail: 'its chunk extensions are too long' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, detail: 'its head did not come in time' };
    default:
      return error.code?.startsWith('HPE_') === true ? { status: 400, detail: error.message } : null;
  }
}

/** Answers on the bare connection, and ends it: where the next request would begin cannot be known. */
export function refuseUnparsed(socket: Socket, { status, detail }: Unparsed): void {
  const { head, text } = errorResponse({ code: 'bad-request', detail });
  let bytes = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (let index = 0; index + 1 < head.headers.length; index += 2) {
    bytes += `${head.headers[index]}: ${head.headers[index + 1]}\r\n`;
  }
  socket.end(`${bytes}Connection: close\r\n\r\n${text}`, () => socket.destroy());
}
