/** What a connection of a client has to do with a request on it, and with the listener that it came by. */
import type { TimerWheel } from '../timing/timer-wheel.ts';
import type { BodySink } from './body-sink.ts';
import type { Fault } from './faults.ts';
import type { HeadLimits } from './head-scanner.ts';
import type { RequestHead } from './request-head.ts';

/** A request on its way, as its connection knows it. After its answer is complete it is not called any more. */
export interface ServerExchange {
  /** Where the body of the request goes, and what comes behind an upgrade. */
  readonly requestSink: BodySink;
  /** An answer was begun: another one cannot be given. */
  readonly isAnswered: boolean;
  begin(): void;
  /** All of the body that came in one read was given. */
  requestPaused(): void;
  /** The last byte of the body was given. */
  requestEnded(): void;
  /** The body is faulty or too slow: what was sent of it must not be taken for complete. The connection ends by itself. */
  requestBroken(fault: Fault): void;
  /** The client has taken what was written. */
  clientDrained(): void;
  /** The client of a tunnel has ended its side. */
  clientEnded(): void;
  /** The client went away before its answer was complete. */
  clientGone(): void;
}

/** Milliseconds. */
export interface ServerTimeouts {
  /** From its first byte to its last, for a head. */
  readonly head: number;
  /** Without a request. */
  readonly idle: number;
  /** Without a byte of a body that is wanted. */
  readonly body: number;
  /** An older connection is closed after its present request. */
  readonly life: number;
}

/** What a listener does for its connections. */
export interface ServerHandler<Connection> {
  readonly limits: HeadLimits;
  readonly timeouts: ServerTimeouts;
  readonly wheel: TimerWheel;
  readonly now: () => number;
  readonly counts: { receivedBytes: number; idleCloses: number; lifetimeCloses: number };
  /** Whether connections are closed after their present request. */
  readonly isDraining: boolean;
  exchange(connection: Connection, head: RequestHead): ServerExchange;
  /**
   * The answer, as it is written, to bytes that are no request. `ofExchange`: it is the body of one, whose exchange was told
   * and counts it.
   */
  refusal(connection: Connection, fault: Fault, ofExchange: boolean): string;
  closed(connection: Connection): void;
}
