/**
 * Which code this worker runs, and how an upgrade of it stands. The upgrade itself is its supervisor's: what the scheduler
 * asks for goes there, and what becomes of it comes back.
 */
import type { Upgrade, UpgradeReport } from './contract.ts';

/** What the supervisor is told. */
export interface CodePost {
  ask(upgrade: Upgrade): void;
  /** This code serves, and the scheduler has taken a report of it. */
  reached(): void;
}

export class OwnCode {
  /** Of the file that runs; null where the code is not known, and so cannot be upgraded. */
  readonly sha256: string | null;
  private readonly post: CodePost | null;
  private report: UpgradeReport | null;
  private hasReached = false;
  private listener: () => void = () => undefined;

  constructor(sha256: string | null, upgrade: UpgradeReport | null, post: CodePost | null) {
    this.sha256 = sha256;
    this.report = upgrade;
    this.post = post;
  }

  get upgrade(): UpgradeReport | null {
    return this.report;
  }

  /** The one who reports it. */
  onChange(listener: () => void): void {
    this.listener = listener;
  }

  /** How the upgrade stands now. */
  told(upgrade: UpgradeReport): void {
    this.report = upgrade;
    this.listener();
  }

  ask(upgrade: Upgrade): void {
    this.post?.ask(upgrade);
  }

  reached(): void {
    if (this.hasReached) return;
    this.hasReached = true;
    this.post?.reached();
  }
}

/** A proxy without a supervisor: in a test. */
export function unknownCode(): OwnCode {
  return new OwnCode(null, null, null);
}
