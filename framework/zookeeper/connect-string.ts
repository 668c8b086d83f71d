/**
 * Where an ensemble is: `zk://user:password@h1:2181,h2:2181,h3/path`, as Mesos and Marathon write it. As there, nothing
 * is percent-encoded: the password ends at the last `@` before the path.
 */
const DEFAULT_PORT = 2181;
const PREFIX = 'zk://';

export interface Server {
  readonly host: string;
  readonly port: number;
}

export interface ConnectString {
  readonly servers: readonly Server[];
  /** `user:password` for the scheme `digest`, or null. A secret. */
  readonly auth: string | null;
  /** `/mesos`; null when the URL has none, or a bare `/`. */
  readonly path: string | null;
}

/** @throws Error with a sentence for the person who wrote the URL; it does not repeat the password. */
export function parseConnectString(url: string): ConnectString {
  if (!url.startsWith(PREFIX)) throw new Error('a ZooKeeper URL begins with zk://, as in zk://h1:2181,h2:2181/path');
  const rest = url.slice(PREFIX.length);
  const slash = rest.indexOf('/');
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const at = authority.lastIndexOf('@');
  // What stands before it would be taken for a server, and quoted.
  if (at === -1 && rest.includes('@')) {
    throw new Error('the password of a ZooKeeper URL must not have a slash in it: choose another');
  }
  const auth = at === -1 ? null : authority.slice(0, at);
  if (auth !== null && !/^[^:]+:./s.test(auth)) {
    throw new Error('the credentials of a ZooKeeper URL are user:password, as in zk://user:password@h1:2181/path');
  }
  const servers = authority
    .slice(at + 1)
    .split(',')
    .map(parseServer);
  return { servers, auth, path: parsePath(slash === -1 ? '' : rest.slice(slash)) };
}

function parseServer(text: string): Server {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new Error(`'${text}' is no server of a ZooKeeper URL: write host:port, several with commas between`);
  }
  return { host, port };
}

function parsePath(text: string): string | null {
  const path = text.replace(/\/$/, '');
  if (path === '') return null;
  const bad = path
    .slice(1)
    .split('/')
    // As the server has it (PathUtils.validatePath).
    .find((segment) => segment === '' || segment === '.' || segment === '..' || /\p{Cc}/u.test(segment));
  if (bad !== undefined) throw new Error(`'${text}' is no path of a ZooKeeper node: write /name or /name/name`);
  return path;
}

/** For logs: without the credentials. */
export function serversText(servers: readonly Server[]): string {
  return servers.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)).join(',');
}

/** For logs: without the credentials. */
export function shownConnectString({ servers, path }: ConnectString): string {
  return `${PREFIX}${serversText(servers)}${path ?? ''}`;
}
