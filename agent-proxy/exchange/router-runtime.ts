/** What all requests of a router share: its limits, its clocks, its ways out. */
import type { PeerPaths } from '../endpoint/peers.ts';
import type { TimerWheel } from '../timing/timer-wheel.ts';
import type { Propagator } from '../tracing/propagator.ts';

export interface RouterRuntime {
  readonly label: string;
  readonly wheel: TimerWheel;
  /** Milliseconds of a clock that only goes forward; and of the wall's. */
  readonly now: () => number;
  readonly wallClock: () => number;
  readonly random: () => number;
  readonly settings: RouterSettings;
  /** The ways to instances by the proxies of their nodes; null where every instance is gone to straight. */
  readonly peers: PeerPaths | null;
  readonly peerKey: () => string | null;
  readonly propagator: Propagator;
  readonly figures: RouterFigures;
  /** Tells people, once in a while. */
  readonly warnOfSkew: () => void;
}

export interface RouterSettings {
  /** Requests on their way to one instance: one that hangs cannot take all connections to the proxy of its node. */
  readonly maxInflight: number;
  /** Whether a request came by a proxy that may send it again itself is looked at; what did is not sent again here too. */
  readonly looksForEarlierProxy: boolean;
  /** Bodies up to this many bytes can be sent again. */
  readonly retryBufferBytes: number;
  readonly bindingTimeoutMs: number;
  /** Tokens of `Upgrade` that pass, in lower case. */
  readonly upgrades: ReadonlySet<string>;
  readonly allowsConnect: boolean;
  readonly enforcesDeadlines: boolean;
  /** The total timeout is told to the next hop as a deadline, and not only that of the caller. */
  readonly tellsDeadline: boolean;
  readonly compressionLevel: number;
  readonly maxPendingRequests: number;
}

export interface RouterFigures {
  /** Requests that went straight to an instance of another node because its proxy was not ready. */
  direct: number;
  /** Attempts to reach a peer proxy that failed before a byte was written. */
  peerUnreachable: number;
  /** Deadlines that were not enforced because a clock is off. */
  skewedDeadlines: number;
}
