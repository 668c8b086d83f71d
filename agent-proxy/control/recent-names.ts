/**
 * The names that clients asked for in the last hour. A scheduler is told once of all, and then of those that are asked for:
 * so one that starts anew knows at once what a change of a dtab could take away.
 */
import type { AskedName } from './contract.ts';

const KEPT_MS = 60 * 60_000;
/** As many as a report takes. */
const MOST = 5_000;

interface Asked {
  readonly namespace: string;
  readonly name: string;
  readonly at: number;
}

export class RecentNames {
  /** The longest ago first. */
  private readonly asked = new Map<string, Asked>();
  /** The session that has taken a report with all. */
  private toldTo: string | null = null;

  /** What a report of this session says, where these had a request since the last one. */
  report(session: string, names: readonly AskedName[], now: number): AskedName[] {
    for (const { namespace, name } of names) this.keep({ namespace, name, at: now });
    if (this.toldTo === session) return [...names];
    const all: AskedName[] = [];
    for (const [key, { namespace, name, at }] of this.asked) {
      if (now - at > KEPT_MS) this.asked.delete(key);
      else all.push({ namespace, name, agoMs: Math.round(now - at) });
    }
    return all;
  }

  /** The report arrived. */
  taken(session: string): void {
    this.toldTo = session;
  }

  private keep(asked: Asked): void {
    const key = `${asked.namespace} ${asked.name}`;
    this.asked.delete(key);
    if (this.asked.size >= MOST) {
      const [oldest] = this.asked.keys();
      if (oldest !== undefined) this.asked.delete(oldest);
    }
    this.asked.set(key, asked);
  }
}
