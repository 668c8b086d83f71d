/**
 * What can go wrong with ZooKeeper, each with one meaning. Whoever must act on an error asks for its `kind`.
 */
export type ZooKeeperErrorKind =
  /** It was sent and the connection broke before its answer came: it may have been carried out or not. */
  | 'connection-loss'
  /** It was not sent within its time, since no server could be reached: it has not been carried out and never will be. */
  | 'unreachable'
  /** The session is over, by the word of a server or of the session's own clock; its ephemeral nodes are going. */
  | 'session-lost'
  /** This side has closed the session. */
  | 'closed'
  /** The node has another version than the one that was named. */
  | 'version-conflict'
  | 'no-node'
  | 'node-exists'
  | 'not-empty'
  /** The node's ACL allows it to others only. */
  | 'no-auth'
  /** The server takes none of our credentials. */
  | 'auth-failed'
  /** Anything else that a server refuses, or says in a way that cannot be understood. */
  | 'refused';

export class ZooKeeperError extends Error {
  readonly kind: ZooKeeperErrorKind;

  constructor(kind: ZooKeeperErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ZooKeeperError';
    this.kind = kind;
  }
}

/** Whether it is an error of ZooKeeper's of one of these kinds. */
export function isZooKeeperError(error: unknown, ...kinds: readonly ZooKeeperErrorKind[]): error is ZooKeeperError {
  return error instanceof ZooKeeperError && (kinds.length === 0 || kinds.includes(error.kind));
}

/** Codes of a reply's header (KeeperException.Code), and what they mean for one operation on one node. */
const CODES: ReadonlyMap<number, readonly [ZooKeeperErrorKind, string]> = new Map([
  [-101, ['no-node', 'there is no such node']],
  [-102, ['no-auth', 'the ACL of the node allows it to others only; check user and password in the zk:// URL']],
  [-103, ['version-conflict', 'somebody else has changed the node']],
  [-110, ['node-exists', 'there is such a node already']],
  [-111, ['not-empty', 'the node has children']],
  [-112, ['session-lost', 'the session is over']],
  // The same session was opened at another server, which is what we do after a loss: this answer comes too late.
  [-118, ['connection-loss', 'the session has moved to another server']],
  [-115, ['auth-failed', 'the server takes none of our credentials; check user and password in the zk:// URL']],
  [-6, ['refused', 'the server does not know this operation']],
  [-8, ['refused', 'the server calls the request malformed']],
  [-108, ['refused', 'an ephemeral node cannot have children']],
  [-114, ['refused', 'the server does not take the ACL']],
  [-119, ['refused', 'the server is read-only: it has lost its ensemble']],
]);

/** The error that a server answered with. */
export function errorOfCode(code: number, operation: string, path: string): ZooKeeperError {
  const [kind, words] = CODES.get(code) ?? ['refused', `the server answers with error ${code}`];
  return new ZooKeeperError(kind, `ZooKeeper: ${operation} ${path}: ${words}`);
}
