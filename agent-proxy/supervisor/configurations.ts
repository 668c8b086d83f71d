/**
 * Configurations that come while the proxy runs: each is checked, tried by new workers beside those that serve, and kept on
 * disk once they have taken over. Where it does not do, what ran goes on. One at a time; of those that are asked for
 * meanwhile, the last one counts.
 */
import { isDeepStrictEqual } from 'node:util';
import type { GivenConfig } from '../config/spec.ts';
import type { ConfigRefusal } from '../control/contract.ts';
import type { Log } from '../telemetry/log.ts';

export interface ConfigurationHost {
  /** New workers with this configuration take over; rejects where they do not come to serve, and then nothing has changed. */
  take(wanted: GivenConfig): Promise<void>;
  /** It is what runs already, only by another revision: for workers that come. */
  rename(wanted: GivenConfig): void;
  keep(wanted: GivenConfig): Promise<void>;
  /** To the worker that serves. */
  tell(refusal: ConfigRefusal): void;
  readonly log: Log;
}

export class Configurations {
  private readonly host: ConfigurationHost;
  private current: GivenConfig | null;
  private last: ConfigRefusal | null = null;
  private isChanging = false;
  private next: GivenConfig | null = null;

  constructor(host: ConfigurationHost, current: GivenConfig | null) {
    this.host = host;
    this.current = current;
  }

  /** Null where what was asked for last is what runs. */
  get refusal(): ConfigRefusal | null {
    return this.last;
  }

  ask(wanted: GivenConfig): void {
    if (this.isChanging) {
      this.next = wanted;
      return;
    }
    this.isChanging = true;
    this.change(wanted)
      .catch((error: unknown) => this.refuse(wanted, error))
      .finally(() => {
        this.isChanging = false;
        const { next } = this;
        this.next = null;
        if (next !== null) this.ask(next);
      })
      // Neither logging nor telling throws.
      .catch(() => undefined);
  }

  private async change(wanted: GivenConfig): Promise<void> {
    const { host } = this;
    const { revision } = wanted;
    if (isDeepStrictEqual(wanted.document, this.current?.document ?? {})) {
      if (revision === this.current?.revision) return;
      host.rename(wanted);
    } else {
      await host.take(wanted);
      host.log.info('configuration taken', { revision });
    }
    this.current = wanted;
    this.last = null;
    await host.keep(wanted).catch((error: unknown) => {
      host.log.warn('configuration not kept on disk', { revision, why: sentenceOf(error) });
    });
  }

  private refuse({ revision }: GivenConfig, error: unknown): void {
    const reason = sentenceOf(error);
    this.host.log.warn('configuration refused: the one before is still in use', { revision, reason });
    this.last = { revision, reason };
    this.host.tell(this.last);
  }
}

/** Reports are small. */
const MAX_REASON = 1_000;

function sentenceOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll('\n', '; ').slice(0, MAX_REASON);
}
