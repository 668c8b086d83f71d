/**
 * `onread` for a socket that was accepted. Node has it for sockets that connect: their constructor keeps the buffer and the
 * callback under three symbols of its own, and gives the buffer to the handle. The server's constructor passes no options
 * on, so the same is done here afterwards. Where a version of Node keeps them elsewhere nothing is touched, and the socket
 * reads as it did (docs/decisions/0012-accepted-sockets-read-into-the-shared-buffer.md).
 */
import type { Socket } from 'node:net';

export interface OnRead {
  readonly buffer: Uint8Array;
  readonly callback: (count: number) => boolean;
}

/** What Node calls the symbols: the buffer, the callback, and what makes another buffer. */
const NAMES = ['kBuffer', 'kBufferCb', 'kBufferGen'] as const;

interface Symbols {
  readonly buffer: symbol;
  readonly callback: symbol;
}

/** The same for all sockets of a process: `undefined` before the first, null where they are not as expected. */
let symbols: Symbols | null | undefined;

/** From now on the socket reads into the buffer and calls back. False: it cannot, and is as it was. */
export function readInto(socket: Socket, { buffer, callback }: OnRead): boolean {
  symbols ??= symbolsOf(socket);
  const handle: unknown = Reflect.get(socket, '_handle');
  if (symbols === null || !takesBuffer(handle)) return false;
  handle.useUserBuffer(buffer);
  Reflect.set(socket, symbols.buffer, buffer);
  Reflect.set(socket, symbols.callback, callback);
  return true;
}

function symbolsOf(socket: Socket): Symbols | null {
  const own = Object.getOwnPropertySymbols(socket);
  const [buffer, callback, maker] = NAMES.map((name) => own.find(({ description }) => description === name));
  if (buffer === undefined || callback === undefined || maker === undefined) return null;
  // A socket that has none of them yet holds null under each.
  const areFree = [buffer, callback, maker].every((symbol) => Reflect.get(socket, symbol) === null);
  return areFree ? { buffer, callback } : null;
}

function takesBuffer(handle: unknown): handle is { useUserBuffer(buffer: Uint8Array): void } {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'useUserBuffer' in handle &&
    typeof handle.useUserBuffer === 'function'
  );
}
