/**
 * The handles that Node's own sockets are made of. They belong to its insides: they are taken from `process.binding`
 * (deprecated in words, DEP0111, and there), everything is looked at before it is used, and where a version of Node has
 * something else the streams do the work (docs/decisions/0014-plain-connections-without-streams.md).
 */

/** What the system is asked to do. One that has to be waited for cannot be used for anything else. */
export interface HandleRequest<Owner> {
  /** `status` is 0, or an error of the system as a negative number. Called with the request as `this`. */
  oncomplete: (status: number) => void;
  owner: Owner | null;
}

export interface WriteRequest<Owner> extends HandleRequest<Owner> {
  bytes: number;
  /** Kept from being collected until the kernel has taken it. */
  pieces: unknown;
}

/** A TCP connection. Methods that return a number return 0, or an error of the system as a negative number. */
export interface TcpHandle<Owner> {
  owner: Owner | null;
  /** Called with the handle as `this` after each read. */
  onread: () => void;
  /** Reads go into it from now on. */
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeLatin1String(request: WriteRequest<Owner>, text: string): number;
  writeBuffer(request: WriteRequest<Owner>, bytes: Uint8Array): number;
  /** With `allBuffers` false: a piece and the name of its encoding by turns. */
  writev(request: WriteRequest<Owner>, pieces: readonly unknown[], allBuffers: boolean): number;
  /** 1: there was nothing to wait for. */
  shutdown(request: HandleRequest<Owner>): number;
  connect(request: HandleRequest<Owner>, address: string, port: number): number;
  connect6(request: HandleRequest<Owner>, address: string, port: number): number;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, seconds: number): number;
  getsockname(out: Partial<HandleAddress>): number;
  getpeername(out: Partial<HandleAddress>): number;
  /** Called with the handle as `this`, in a later phase of the event loop. */
  close(closed: () => void): void;
  reset(closed: () => void): number;
}

export interface HandleAddress {
  readonly address: string;
  readonly port: number;
}

export interface NodeHandles<Owner> {
  readonly newTcp: () => TcpHandle<Owner>;
  readonly isTcp: (handle: unknown) => handle is TcpHandle<Owner>;
  readonly Write: new () => WriteRequest<Owner>;
  readonly Shutdown: new () => HandleRequest<Owner>;
  readonly Connect: new () => HandleRequest<Owner>;
  /** What the last call of any handle did, by position. */
  readonly state: ArrayLike<number>;
  /** Bytes that were read, or an error. */
  readonly read: number;
  /** 1: the last write has to be waited for. */
  readonly wasAsync: number;
}

const METHODS = [
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeLatin1String',
  'writeBuffer',
  'writev',
  'shutdown',
  'connect',
  'connect6',
  'setNoDelay',
  'setKeepAlive',
  'getsockname',
  'getpeername',
  'close',
  'reset',
] as const;

/** Null where this version of Node has them otherwise. */
export function nodeHandles<Owner>(): NodeHandles<Owner> | null {
  const streams = binding('stream_wrap');
  const tcp = binding('tcp_wrap');
  if (streams === null || tcp === null) return null;
  const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = streams;
  const { TCP, TCPConnectWrap, constants } = tcp;
  if (![WriteWrap, ShutdownWrap, TCP, TCPConnectWrap].every((each) => typeof each === 'function')) return null;
  if (!ArrayBuffer.isView(streamBaseState)) return null;
  if (typeof kReadBytesOrError !== 'number' || typeof kLastWriteWasAsync !== 'number') return null;
  const prototype: unknown = Reflect.get(TCP as object, 'prototype');
  if (!hasMethods(prototype)) return null;
  const Tcp = TCP as new (type: unknown) => TcpHandle<Owner>;
  const socketType = (constants as { readonly SOCKET?: unknown } | undefined)?.SOCKET;
  if (typeof socketType !== 'number') return null;
  return {
    newTcp: () => new Tcp(socketType),
    isTcp: (handle): handle is TcpHandle<Owner> => handle instanceof Tcp,
    Write: WriteWrap as new () => WriteRequest<Owner>,
    Shutdown: ShutdownWrap as new () => HandleRequest<Owner>,
    Connect: TCPConnectWrap as new () => HandleRequest<Owner>,
    state: streamBaseState as unknown as ArrayLike<number>,
    read: kReadBytesOrError,
    wasAsync: kLastWriteWasAsync,
  };
}

function hasMethods(prototype: unknown): boolean {
  if (typeof prototype !== 'object' || prototype === null || !('onread' in prototype)) return false;
  return METHODS.every((name) => typeof Reflect.get(prototype, name) === 'function');
}

function binding(name: string): Record<string, unknown> | null {
  const bindingOf: unknown = Reflect.get(process, 'binding');
  if (typeof bindingOf !== 'function') return null;
  try {
    const found: unknown = bindingOf.call(process, name);
    return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : null;
  } catch {
    // It is not given away any more.
    return null;
  }
}
