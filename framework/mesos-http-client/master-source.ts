/**
 * Where the leading master is. A client asks before each attempt to connect, and is told when the answer changes; how it
 * is found out (a fixed address, ZooKeeper) is not its business.
 */
export interface MasterSource {
  /** Base URLs (`http://10.0.0.1:5050`) to try, best first; empty: no leader is known now. */
  current(): readonly string[];
  /** Called when `current()` changed, never from within `watch`. Returns unsubscribe. */
  watch(changed: () => void): () => void;
  close(): void | Promise<void>;
}

/**
 * The master at an address that never changes: one that is named by hand, or a name that leads to the leader
 * (`leader.mesos` on DC/OS). One that does not lead redirects to the one that does.
 */
export function fixedMaster(url: string): MasterSource {
  const urls = [url];
  const nothing = (): void => undefined;
  return { current: () => urls, watch: () => nothing, close: nothing };
}
