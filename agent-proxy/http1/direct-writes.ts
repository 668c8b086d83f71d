/**
 * Hands short texts straight to the handle of a socket. What a stream does around each write (an entry in its queue, a
 * callback in a later tick, a request object of its own) costs as much CPU time as all parsing of a message, and is for
 * the rare write that the kernel does not take at once. That one is waited for here
 * (docs/decisions/0013-short-writes-go-straight-to-the-handle.md).
 *
 * Handles and requests are Node's own insides: where they are not as expected, `write` says so, and the stream writes.
 */
import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';

/** What the system is asked to do. One that is waited for cannot be used again. */
interface WriteRequest {
  /** `status` is 0, or an error of the system as a negative number. */
  oncomplete: (status: number) => void;
}

interface PlainHandle {
  writeLatin1String(request: WriteRequest, text: string): number;
}

interface Inside {
  readonly _handle: unknown;
}

interface Insides {
  readonly Request: new () => WriteRequest;
  /** What was done last, for all streams, by position. */
  readonly state: ArrayLike<number>;
  /** Whether the last write is to be waited for. */
  readonly wasAsync: number;
}

const INSIDES = insides();

export class DirectWrites {
  /** Bytes that the kernel has not taken yet, of a write that is waited for. */
  unsent = 0;
  private readonly socket: Socket;
  private readonly drained: () => void;
  private request: WriteRequest | null;
  /** The handle, once it is known to be one that can be written to. */
  private handle: PlainHandle | null = null;

  /** `drained` hears when a write that had to wait is done. */
  constructor(socket: Socket, drained: () => void) {
    this.socket = socket;
    this.drained = drained;
    this.request = INSIDES === null ? null : new INSIDES.Request();
  }

  /** One character a byte. False: nothing was done, and the stream has to write. */
  write(text: string): boolean {
    const { socket, request } = this;
    // What waits here goes first; then what follows waits in the stream.
    if (request === null || this.unsent > 0) return false;
    const handle = this.writable(socket as unknown as Inside);
    if (handle === null || socket.writableEnded) return false;
    const status = handle.writeLatin1String(request, text);
    if (status !== 0) this.failed(status);
    else if (INSIDES?.state[INSIDES.wasAsync] === 1) this.wait(request, text.length);
    return true;
  }

  /** A closed socket has no handle any more; one that connects cannot be written to yet. */
  private writable({ _handle: handle }: Inside): PlainHandle | null {
    if (handle !== null && handle === this.handle) return this.handle;
    if (!isPlain(handle) || this.socket.connecting) return null;
    this.handle = handle;
    return handle;
  }

  private wait(request: WriteRequest, bytes: number): void {
    this.unsent = bytes;
    this.request = INSIDES === null ? null : new INSIDES.Request();
    request.oncomplete = (status) => {
      this.unsent = 0;
      if (status !== 0) this.failed(status);
      else this.drained();
    };
  }

  private failed(status: number): void {
    const code = getSystemErrorName(status);
    this.socket.destroy(Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: 'write' }));
  }
}

/** A TCP socket: TLS has a handle with the same methods, which writes something else. */
function isPlain(handle: unknown): handle is PlainHandle {
  return handle !== null && handle !== undefined && handle.constructor.name === 'TCP';
}

/** Null where this version of Node has none of it. */
function insides(): Insides | null {
  const bindingOf: unknown = Reflect.get(process, 'binding');
  if (typeof bindingOf !== 'function') return null;
  let binding: unknown;
  try {
    binding = bindingOf.call(process, 'stream_wrap');
  } catch {
    // It is not given away any more: streams do all writing then.
    return null;
  }
  if (typeof binding !== 'object' || binding === null) return null;
  const { WriteWrap, streamBaseState, kLastWriteWasAsync } = binding as Record<string, unknown>;
  if (typeof WriteWrap !== 'function' || !ArrayBuffer.isView(streamBaseState) || typeof kLastWriteWasAsync !== 'number')
    return null;
  return {
    Request: WriteWrap as Insides['Request'],
    state: streamBaseState as unknown as ArrayLike<number>,
    wasAsync: kLastWriteWasAsync,
  };
}
