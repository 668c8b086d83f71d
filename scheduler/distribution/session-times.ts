/** How often proxies and scheduler hear of each other, and when one is given up: by how many sessions there are. Pure. */

/** How often a stream says that it lives; less often where there are thousands: each beat is a write. */
const HEARTBEAT_MS = { least: 1_000, most: 4_000, perSession: 0.4 };
/** No more rarely than a wrong digest may take to be found and mended (15 s). */
const REPORT_MS = { least: 1_000, most: 7_000, perSession: 10 };
/** How long a session survives the end of its stream: a reconnect is not a failure. */
const GONE_AFTER_MS = 3_000;
/** Where more than a tenth have lost their stream together, it is not their doing, and they wait for each other. */
const GONE_TOGETHER_MS = 30_000;
const TOGETHER = { share: 0.1, atLeast: 20 } as const;
/** A session whose proxy says nothing for this many report intervals is dead, whatever TCP thinks. */
const SILENT_REPORTS = 5;

/** A report a second from a small cluster; from a large one 100 a second in all, as far as they may be so rare. */
export function reportMs(sessions: number): number {
  return between(REPORT_MS, sessions);
}

/** That a delta was lost, heartbeats tell, within so long. */
export function heartbeatMs(sessions: number): number {
  return between(HEARTBEAT_MS, sessions);
}

/** How long a session without a stream is kept. `away`: so many are without. */
export function goneAfterMs(away: number, sessions: number): number {
  const isTogether = away > Math.max(TOGETHER.atLeast, TOGETHER.share * sessions);
  return isTogether ? GONE_TOGETHER_MS : GONE_AFTER_MS;
}

/** How long a session with a stream may report nothing. `givenMs`: how often its proxy was told to report. */
export function silentAfterMs(givenMs: number, sessions: number): number {
  // Where thousands report, it is we who are late.
  return Math.max(GONE_AFTER_MS, SILENT_REPORTS * Math.max(givenMs, reportMs(sessions)));
}

function between(
  { least, most, perSession }: Readonly<Record<'least' | 'most' | 'perSession', number>>,
  sessions: number,
): number {
  return Math.min(most, Math.max(least, Math.round(sessions * perSession)));
}
