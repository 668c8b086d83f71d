/**
 * Which configuration this worker runs, and what became of the last one that the scheduler asked for. Whether one can be
 * used is for the supervisor to find out, by starting workers with it; these report it then.
 */
import { isDeepStrictEqual } from 'node:util';
import type { GivenConfig } from '../config/spec.ts';
import type { ConfigRefusal } from './contract.ts';

/** What the supervisor is told. */
export interface ConfigPost {
  ask(wanted: GivenConfig): void;
}

export class OwnConfig {
  private given: GivenConfig | null;
  private readonly post: ConfigPost | null;
  private last: ConfigRefusal | null;
  private listener: () => void = () => undefined;

  constructor(given: GivenConfig | null, refusal: ConfigRefusal | null, post: ConfigPost | null) {
    this.given = given;
    this.last = refusal;
    this.post = post;
  }

  /** 0 before any scheduler said anything. */
  get revision(): number {
    return this.given?.revision ?? 0;
  }

  /** Null where what was asked for last is what runs. */
  get refusal(): ConfigRefusal | null {
    return this.last;
  }

  /** The one who reports it. */
  onChange(listener: () => void): void {
    this.listener = listener;
  }

  /**
   * - `runs`: it does already, by whatever revision.
   * - `asked`: the supervisor is to try it, once `prepare` is done.
   * - `refused`: it was tried in vain before.
   */
  configure(wanted: GivenConfig, prepare: () => Promise<void>): 'runs' | 'asked' | 'refused' {
    const { post } = this;
    if (isDeepStrictEqual(wanted.document, this.given?.document ?? {})) {
      this.given = wanted;
      this.last = null;
      // To be kept, and told to the workers that come.
      post?.ask(wanted);
      return 'runs';
    }
    if (wanted.revision === this.last?.revision) return 'refused';
    if (post === null) {
      this.refused({ revision: wanted.revision, reason: 'this proxy has no supervisor to change its configuration' });
      return 'refused';
    }
    void prepare().then(() => post.ask(wanted));
    return 'asked';
  }

  /** The supervisor has tried in vain. */
  refused(refusal: ConfigRefusal): void {
    this.last = refusal;
    this.listener();
  }
}

/** A proxy without a supervisor: in a test. */
export function fixedConfig(): OwnConfig {
  return new OwnConfig(null, null, null);
}
