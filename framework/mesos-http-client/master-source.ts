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
 * Masters at addresses that never change: one that is named by hand, a name that leads to the leader (`leader.mesos` on
 * DC/OS), or several, `http://a:5050,b:5050` (those without a scheme have the one of the first). One that does not lead
 * redirects to the one that does. @throws {Error} for what is no URL.
 */
export function fixedMaster(urls: string): MasterSource {
  const scheme = urls.trim().startsWith('https:') ? 'https' : 'http';
  const masters = urls.split(',').map((text) => baseUrl(text.trim(), scheme));
  const nothing = (): void => undefined;
  return { current: () => masters, watch: () => nothing, close: nothing };
}

function baseUrl(text: string, scheme: string): string {
  const full = text.includes('://') ? text : `${scheme}://${text}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  if (url !== null && (url.username !== '' || url.password !== '')) {
    // Addresses show in logs. What was given is not quoted.
    throw new Error('the URL of a master must not hold a name or a password: give them as a principal and a secret');
  }
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new Error(`the master '${text}' is not a URL like http://10.0.0.1:5050`);
  }
  return full.replace(/\/+$/, '');
}
