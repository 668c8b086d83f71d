/**
 * What a connection is made of (Finagle's word for it): bytes in, bytes out, and an end on either side. HTTP/1 knows nothing
 * of sockets beyond this. Plain TCP has one straight over the handle of the system ({@link TcpTransport}), TLS one over a
 * stream of Node's ({@link StreamTransport}).
 */

/** One side of a connection. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

export interface Transport {
  /** It was destroyed, or failed: nothing is read or written any more. `closed` may still be to come. */
  readonly isClosed: boolean;
  readonly isPaused: boolean;
  /** More was written than the kernel takes at present: whoever writes should wait for `drained`. */
  readonly isFull: boolean;
  /** All that was written is with the kernel, and the end of our side too. */
  readonly isAllSent: boolean;
  /** Bytes that the kernel has not taken yet. */
  readonly unsent: number;
  /** Null where the system does not say, as of a connection that is closed. */
  readonly local: SocketAddress | null;
  readonly remote: SocketAddress | null;

  /** Once, before anything else: connects if it has to, and reads from now on. */
  start(user: TransportUser): void;
  /** Nothing more is read, but for one piece that may be on its way. */
  pause(): void;
  resume(): void;
  /** One character a byte. */
  write(text: string): void;
  /** Several in one call of the system. Its buffers are the transport's from now on. */
  writeAll(pieces: readonly Piece[]): void;
  /** Ends our side behind all that was written. */
  end(): void;
  /** Cuts the connection. What was not sent yet is lost. */
  destroy(): void;
  /** Cuts it in such a way that the other side cannot take it for an end in order (RST). */
  reset(): void;
}

/** A text has one character a byte. */
export type Piece = string | Buffer;

/** Whom a transport tells what happens. Nothing is told before `start` has returned, and nothing after `closed`. */
export interface TransportUser {
  /** It is connected, and encrypted where it should be. Only one that had to connect says so. */
  connected(): void;
  /** Bytes `0` to `end`, which are good until the call returns (read-buffers.ts). */
  read(bytes: Buffer, end: number): void;
  /** The other side has ended: it may still read. */
  ended(): void;
  /** The kernel has taken everything that had to wait. */
  drained(): void;
  /** Our end is out. */
  allSent(): void;
  /** `why` is the system's code (`ECONNREFUSED`) or a sentence, and empty where nothing went wrong. */
  closed(why: string): void;
}
