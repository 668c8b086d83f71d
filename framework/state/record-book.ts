/**
 * The framework's records in the state store. Every write names the version that it replaces; writes of one step go out
 * together, since they concern different keys.
 */
import type { z } from 'zod';
import type { Action } from '../daemonset/events.ts';
import { type FrameworkId, frameworkId } from '../mesos-http-client/messages.ts';
import {
  AGENTS_PREFIX,
  type AgentRecord,
  agentKey,
  agentRecordSchema,
  FRAMEWORK_KEY,
  frameworkRecordSchema,
} from './records.ts';
import { type StateStore, StateStoreError } from './state-store.ts';

/** Enough to hide the latency of a disk or of ZooKeeper, few enough not to flood it. */
const PARALLEL_WRITES = 16;

export interface Loaded {
  readonly frameworkId: FrameworkId | null;
  readonly records: readonly AgentRecord[];
}

export class RecordBook {
  readonly #store: StateStore;
  /** Of each key that exists, as last read or written. */
  readonly #versions = new Map<string, number>();

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** @throws {StateStoreError} */
  async load(): Promise<Loaded> {
    const framework = await this.#read(FRAMEWORK_KEY, frameworkRecordSchema);
    const records: AgentRecord[] = [];
    for (const key of await this.#store.list(AGENTS_PREFIX)) {
      const record = await this.#read(key, agentRecordSchema);
      if (record !== null) records.push(record);
    }
    return { frameworkId: framework === null ? null : frameworkId(framework.frameworkId), records };
  }

  /** Writes what a step wants written; durable when it resolves. @throws {StateStoreError | VersionConflict} */
  async write(actions: readonly Action[]): Promise<void> {
    const writes: (() => Promise<void>)[] = [];
    for (const action of actions) {
      if (action.type === 'persist-framework') {
        const record = { frameworkId: action.frameworkId };
        writes.push(() => this.#put(FRAMEWORK_KEY, record));
      } else if (action.type === 'persist') {
        const { record } = action;
        writes.push(() => this.#put(agentKey(record.agentId), record));
      } else if (action.type === 'forget') {
        const key = agentKey(action.agentId);
        writes.push(() => this.#delete(key));
      }
    }
    for (let from = 0; from < writes.length; from += PARALLEL_WRITES) {
      await Promise.all(writes.slice(from, from + PARALLEL_WRITES).map((write) => write()));
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
