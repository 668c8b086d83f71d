/**
 * The framework's records in the state store. Every write names the version that it replaces; writes of one step go out
 * together, since they concern different keys.
 */
import type { z } from 'zod';
import type { Action } from '../daemonset/events.ts';
import type { Remembered } from '../daemonset/restore.ts';
import {
  AGENTS_PREFIX,
  type AgentRecord,
  agentKey,
  agentRecordSchema,
  FRAMEWORK_KEY,
  frameworkRecordSchema,
  ROLLOUT_KEY,
  rolloutRecordSchema,
} from './records.ts';
import { type StateStore, StateStoreError } from './state-store.ts';

/** Enough to hide the latency of a disk or of ZooKeeper, few enough not to flood it. */
const PARALLEL = 16;

export class RecordBook {
  readonly #store: StateStore;
  /** Of each key that exists, as last read or written. */
  readonly #versions = new Map<string, number>();

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** @throws {StateStoreError} */
  async load(): Promise<Remembered> {
    const framework = await this.#read(FRAMEWORK_KEY, frameworkRecordSchema);
    const rollout = await this.#read(ROLLOUT_KEY, rolloutRecordSchema);
    const keys = await this.#store.list(AGENTS_PREFIX);
    const agents: AgentRecord[] = [];
    for (let from = 0; from < keys.length; from += PARALLEL) {
      const some = keys.slice(from, from + PARALLEL).map((key) => this.#read(key, agentRecordSchema));
      for (const record of await Promise.all(some)) if (record !== null) agents.push(record);
    }
    return { framework, rollout, agents };
  }

  /** Writes what a step wants written; durable when it resolves. @throws {StateStoreError | VersionConflict} */
  async write(actions: readonly Action[]): Promise<void> {
    const writes: (() => Promise<void>)[] = [];
    for (const action of actions) {
      switch (action.type) {
        case 'persist-framework':
          writes.push(() => this.#put(FRAMEWORK_KEY, action.record));
          break;
        case 'persist-rollout':
          writes.push(() => this.#put(ROLLOUT_KEY, action.record));
          break;
        case 'persist':
          writes.push(() => this.#put(agentKey(action.record.agentId), action.record));
          break;
        case 'forget':
          writes.push(() => this.#delete(agentKey(action.agentId)));
          break;
        default:
          break;
      }
    }
    for (let from = 0; from < writes.length; from += PARALLEL) {
      await Promise.all(writes.slice(from, from + PARALLEL).map((write) => write()));
    }
  }

  async #read<T>(key: string, schema: z.ZodType<T>): Promise<T | null> {
    const found = await this.#store.get(key);
    if (found === null) return null;
    this.#versions.set(key, found.version);
    const parsed = schema.safeParse(found.value);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
    throw new StateStoreError(
      `state record ${key} was not written by this version of the scheduler (${issue?.message ?? 'unreadable'}${where}); ` +
        'delete it to forget what it said, or start the version that wrote it',
      { cause: parsed.error },
    );
  }

  async #put(key: string, value: unknown): Promise<void> {
    this.#versions.set(key, await this.#store.put(key, value, this.#versions.get(key) ?? null));
  }

  async #delete(key: string): Promise<void> {
    const version = this.#versions.get(key);
    if (version === undefined) return;
    await this.#store.delete(key, version);
    this.#versions.delete(key);
  }
}
