/**
 * Where a ZooKeeper ensemble is: `zk://user:password@h1:2181,h2:2181,h3/path`, as Mesos and Marathon write it. As there,
 * nothing is percent-encoded: the password ends at the last `@` before the path.
 */
const DEFAULT_PORT = 2181;

export interface ZooKeeperUrl {
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  /** `user:password` for the scheme `digest`, or null. A secret. */
  readonly auth: string | null;
  readonly path: string;
}

/** @throws {Error} one sentence, which never repeats the password. */
export function parseZooKeeperUrl(text: string): ZooKeeperUrl {
  const [, credentials, hosts, path] = /^zk:\/\/(?:([^/]*)@)?([^/@]*)(\/.*)?$/s.exec(text) ?? [];
  if (hosts === undefined) throw new Error('a ZooKeeper URL is zk://host:2181,host:2181/path');
  if (credentials !== undefined && !/^[^:]+:./s.test(credentials)) {
    throw new Error('the credentials of a ZooKeeper URL are user:password, as in zk://user:password@host:2181/path');
  }
  const trimmed = path?.replace(/\/$/, '') ?? '';
  if (trimmed === '') throw new Error(`the ZooKeeper URL of ${hosts} has no path, as in zk://host:2181/path`);
  if (/\/\.{0,2}(\/|$)|\p{Cc}/u.test(trimmed)) {
    throw new Error(`'${trimmed}' is no path of a ZooKeeper node: write /name or /name/name`);
  }
  return { servers: hosts.split(',').map(parseServer), auth: credentials ?? null, path: trimmed };
}

/** For logs: without the password. */
export function shownZooKeeperUrl({ servers, path }: ZooKeeperUrl): string {
  return `zk://${servers.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')}${path}`;
}

function parseServer(text: string): ZooKeeperUrl['servers'][number] {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new Error(`'${text}' is no server of a ZooKeeper URL: write host:port, several with commas between`);
  }
  return { host, port };
}
