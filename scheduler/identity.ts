/**
 * What makes this process the leader, kept in the state store: the epoch (one higher with every start, so that proxies
 * can tell a leader of yesterday), and the keys of cluster, launches and peers (made once).
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type StateStore, StateStoreError } from '../framework/index.ts';

const KEYS = {
  epoch: 'scheduler/epoch',
  clusterKey: 'scheduler/cluster-key',
  launchKey: 'scheduler/launch-key',
  peerKey: 'scheduler/peer-key',
} as const;

const epochSchema = z.int().min(1);
const keySchema = z.string().min(32);

export interface Identity {
  readonly epoch: number;
  /** Scheduler and proxies that were launched without a token prove themselves to each other with it, off loopback. */
  readonly clusterKey: string;
  /** Makes the tokens that proxies are launched with. It leaves this process for the store alone. */
  readonly launchKey: string;
  /** Proxies know a peer by it. */
  readonly peerKey: string;
  /** False when the store holds a later epoch: another scheduler took over. */
  stillLeading(): Promise<boolean>;
}

/**
 * Raises the stored epoch and becomes its leader.
 * @throws {StateStoreError} when a record cannot be read.
 * @throws {VersionConflict} when another scheduler does the same at this moment.
 */
export async function takeLead(store: StateStore): Promise<Identity> {
  const stored = await store.get(KEYS.epoch);
  const epoch = stored === null ? 1 : checked(KEYS.epoch, epochSchema, stored.value) + 1;
  const version = await store.put(KEYS.epoch, epoch, stored?.version ?? null);
  const newKey = (): string => randomBytes(32).toString('base64url');
  return {
    epoch,
    clusterKey: await madeOnce(store, KEYS.clusterKey, keySchema, newKey),
    launchKey: await madeOnce(store, KEYS.launchKey, keySchema, newKey),
    peerKey: await madeOnce(store, KEYS.peerKey, keySchema, newKey),
    async stillLeading() {
      return (await store.get(KEYS.epoch))?.version === version;
    },
  };
}

async function madeOnce<T>(store: StateStore, key: string, schema: z.ZodType<T>, make: () => T): Promise<T> {
  const stored = await store.get(key);
  if (stored !== null) return checked(key, schema, stored.value);
  const value = make();
  await store.put(key, value, null);
  return value;
}

function checked<T>(key: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new StateStoreError(
    `state key ${key} does not hold what this version writes; restore it, or start with an empty store`,
  );
}
