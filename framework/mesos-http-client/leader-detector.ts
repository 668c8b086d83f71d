/**
 * Finds the leading master in the nodes that the masters keep in ZooKeeper, and follows it. How the nodes are read is left
 * to a `MasterRegistry`, so that this knows no client of ZooKeeper.
 *
 * When the registry cannot be asked, the leader stays who it was: a master that has lost ZooKeeper stops leading by
 * itself, and one that goes on answering is better than none.
 */
import { z } from 'zod';
import { type BackoffLimits, backoffDelay } from './backoff.ts';
import type { MasterSource } from './master-source.ts';

/** The children of one node, `/mesos`. */
export interface MasterRegistry {
  /**
   * Their names now. `changed` is called once, when they may be others, or when the registry can be asked again.
   * Rejects with a reason when it cannot be asked.
   */
  watchChildren(changed: () => void): Promise<readonly string[]>;
  /** What one holds; null when it is gone. Rejects with a reason when it cannot be asked. */
  getData(name: string): Promise<Buffer | null>;
  close(): void | Promise<void>;
}

export interface DetectorOptions {
  readonly registry: MasterRegistry;
  /** How the masters are spoken to; their nodes do not tell. `http` unless said otherwise. */
  readonly scheme?: 'http' | 'https';
  /** For a log: who leads now, and why that cannot be told. */
  note?(fields: object, message: string): void;
  /** In [0, 1); for tests. */
  readonly random?: () => number;
  /** For tests. */
  readonly retry?: BackoffLimits;
}

const RETRY: BackoffLimits = { firstMs: 200, maxMs: 5000, factor: 2 };

/**
 * The node of the leader: the one with the lowest number, whatever its label. Masters write `json.info_0000000012`, old ones
 * `info_0000000012`; nodes without a number (`log_replicas`) are none of theirs.
 */
export function leadingNode(names: readonly string[]): string | null {
  let leader: { readonly name: string; readonly number: number } | null = null;
  for (const name of names) {
    const digits = /(?:^|_)(\d+)$/.exec(name)?.[1];
    if (digits === undefined) continue;
    const number = Number(digits);
    if (leader === null || number < leader.number) leader = { name, number };
  }
  return leader?.name ?? null;
}

/** MasterInfo, of which only the address counts. Its integer `ip` is in network byte order on whatever machine that was. */
const masterInfoSchema = z.object({
  address: z.object({ ip: z.string().min(1), port: z.number().int().min(1).max(65_535) }),
});

/** `10.0.0.1:5050`, from what a master's node holds. @throws Error with a reason */
export function masterAddress(data: Buffer): string {
  let json: unknown;
  try {
    json = JSON.parse(data.toString());
  } catch {
    throw new Error('it is not JSON');
  }
  const parsed = masterInfoSchema.safeParse(json);
  if (!parsed.success) throw new Error('it has no address.ip and address.port');
  const { ip, port } = parsed.data.address;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** Follows the leader from now on, until `close`. */
export function detectLeader(options: DetectorOptions): MasterSource {
  const { registry, scheme = 'http', random = Math.random, retry = RETRY } = options;
  const listeners = new Set<() => void>();
  let current: readonly string[] = [];
  let closed = false;
  let attempt = 0;
  /** One look at a time; what comes meanwhile makes another one. */
  let looking = false;
  let again = false;
  let timer: NodeJS.Timeout | null = null;

  const lead = (url: string | null): void => {
    attempt = 0;
    if (url === (current[0] ?? null)) return;
    current = url === null ? [] : [url];
    options.note?.({ leader: url }, url === null ? 'no master leads' : 'a master leads');
    for (const listener of [...listeners]) listener();
  };

  const look = async (): Promise<void> => {
    const name = leadingNode(await registry.watchChildren(changed));
    if (closed || name === null) return lead(null);
    const data = await registry.getData(name);
    if (closed) return lead(null);
    // Gone since it was listed: the watch of the list calls for another look, which finds who leads now, or that nobody does.
    if (data === null) return;
    let address: string;
    try {
      address = masterAddress(data);
    } catch (error) {
      throw new Error(`the master's node ${name} cannot be read: ${reasonOf(error)}`);
    }
    lead(`${scheme}://${address}`);
  };

  function changed(): void {
    if (closed) return;
    if (looking) {
      again = true;
      return;
    }
    if (timer !== null) clearTimeout(timer);
    timer = null;
    looking = true;
    look()
      .catch((error: unknown) => {
        if (closed) return;
        options.note?.({ leader: current[0] ?? null, reason: reasonOf(error) }, 'who leads cannot be told now');
        timer = setTimeout(changed, backoffDelay(retry, attempt, random()));
        attempt += 1;
      })
      .finally(() => {
        looking = false;
        if (again) {
          again = false;
          changed();
        }
      });
  }

  changed();
  return {
    current: () => current,
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      listeners.clear();
      await registry.close();
    },
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
