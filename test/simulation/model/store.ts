/**
 * The state store and the lease, as ZooKeeper gives them: conditional writes, one leader at a time, an epoch that grows. A
 * session that is over writes nothing any more, and only then does the next one lead.
 */
import type { Remembered } from '../../../framework/daemonset/restore.ts';
import {
  agentKey,
  agentRecordSchema,
  FRAMEWORK_KEY,
  frameworkRecordSchema,
  ROLLOUT_KEY,
  rolloutRecordSchema,
} from '../../../framework/state/records.ts';

interface Stored {
  /** As JSON would bring it back. */
  readonly value: unknown;
  version: number;
}

export class Store {
  readonly records = new Map<string, Stored>();
  epoch = 0;
  /** No write gets through. */
  isDown = false;

  load(): { remembered: Remembered; versions: Map<string, number> } {
    const versions = new Map([...this.records].map(([key, { version }]) => [key, version]));
    const agents = [...this.records].filter(([key]) => key.startsWith('agents/'));
    return {
      remembered: {
        framework: this.#read(FRAMEWORK_KEY, frameworkRecordSchema),
        rollout: this.#read(ROLLOUT_KEY, rolloutRecordSchema),
        agents: agents.map(([, { value }]) => agentRecordSchema.parse(plain(value))),
      },
      versions,
    };
  }

  /** False: somebody else has written it. `value` undefined deletes. */
  write(key: string, value: unknown, versions: Map<string, number>): boolean {
    const found = this.records.get(key)?.version;
    if (found !== versions.get(key)) return false;
    if (value === undefined) {
      this.records.delete(key);
      versions.delete(key);
      return true;
    }
    const version = (found ?? 0) + 1;
    this.records.set(key, { value, version });
    versions.set(key, version);
    return true;
  }

  /** The record of an agent as it was written; undefined when there is none. */
  agent(id: string) {
    const stored = this.records.get(agentKey(id));
    return stored === undefined ? undefined : agentRecordSchema.parse(stored.value);
  }

  #read<T>(key: string, schema: { parse(value: unknown): T }): T | null {
    const stored = this.records.get(key);
    return stored === undefined ? null : schema.parse(plain(stored.value));
  }
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
