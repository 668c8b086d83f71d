/**
 * The few messages of ZooKeeper's protocol that are needed here (zookeeper.jute, the version of 3.4 and everything after
 * it): the handshake, and one value for each operation that says how its request is written and its answer read.
 */
import { JuteReader, JuteWriter } from './jute.ts';

/** Transaction ids (`…zxid`) grow with every write to the ensemble. */
export interface Stat {
  /** Of the write that made the node. */
  readonly czxid: bigint;
  /** Of the last write to it. */
  readonly mzxid: bigint;
  /** Writes since it was made. */
  readonly version: number;
  /** The session that it ends with; 0 for none. */
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
}

export interface Hello {
  readonly lastZxid: bigint;
  readonly timeoutMs: number;
  /** 0 for a new session. */
  readonly sessionId: bigint;
  readonly password: Buffer;
}

export interface Welcome {
  /** 0 or less: there is no such session any more. */
  readonly timeoutMs: number;
  readonly sessionId: bigint;
  readonly password: Buffer;
}

/** One operation on one node, and what its answer holds. */
export interface Operation<T> {
  readonly name: string;
  readonly path: string;
  /** Carrying it out twice does what once does, so it is tried again after a loss. */
  readonly repeatable: boolean;
  readonly type: number;
  write(to: JuteWriter): void;
  read(from: JuteReader): T;
}

/** Marks of messages that are not answers to a numbered request. */
export const XID = { notification: -1, ping: -2, auth: -4 } as const;

export type Acl = 'anyone' | 'creator';
export type CreateMode = 'persistent' | 'ephemeral-sequential';

const TYPE = { create: 1, delete: 2, exists: 3, getData: 4, setData: 5, getChildren: 8, sync: 9, ping: 11, auth: 100 };
const TYPE_CLOSE = -11;
const ALL_PERMISSIONS = 31;
const FLAGS: Record<CreateMode, number> = { persistent: 0, 'ephemeral-sequential': 3 };

export function helloFrame(hello: Hello): Buffer {
  return new JuteWriter()
    .int(0)
    .long(hello.lastZxid)
    .int(hello.timeoutMs)
    .long(hello.sessionId)
    .bytes(hello.password)
    .frame();
}

export function readWelcome(content: Buffer): Welcome {
  const reader = new JuteReader(content);
  reader.int();
  return { timeoutMs: reader.int(), sessionId: reader.long(), password: Buffer.from(reader.bytes()) };
}

export function requestFrame(xid: number, operation: Operation<unknown>): Buffer {
  const writer = new JuteWriter().int(xid).int(operation.type);
  operation.write(writer);
  return writer.frame();
}

export const pingFrame = (): Buffer => new JuteWriter().int(XID.ping).int(TYPE.ping).frame();

export function authFrame(credentials: string): Buffer {
  return new JuteWriter().int(XID.auth).int(TYPE.auth).int(0).string('digest').string(credentials).frame();
}

export interface ReplyHeader {
  readonly xid: number;
  readonly zxid: bigint;
  readonly error: number;
}

export function readHeader(reader: JuteReader): ReplyHeader {
  return { xid: reader.int(), zxid: reader.long(), error: reader.int() };
}

export interface WatchEvent {
  readonly type: 'created' | 'deleted' | 'changed' | 'children' | 'other';
  readonly path: string;
}

const EVENTS = ['other', 'created', 'deleted', 'changed', 'children'] as const;

export function readEvent(reader: JuteReader): WatchEvent {
  const type = EVENTS[reader.int()] ?? 'other';
  reader.int();
  return { type, path: reader.string() };
}

/** Answers with the path of the new node, its number included. */
export function create(path: string, data: Buffer, acl: Acl, mode: CreateMode): Operation<string> {
  return {
    name: 'create',
    path,
    repeatable: false,
    type: TYPE.create,
    write(to) {
      to.string(path).bytes(data);
      // One entry: everything, for everyone or for whoever makes it.
      to.int(1).int(ALL_PERMISSIONS);
      if (acl === 'anyone') to.string('world').string('anyone');
      else to.string('auth').string('');
      to.int(FLAGS[mode]);
    },
    read: (from) => from.string(),
  };
}

export function remove(path: string, version: number): Operation<void> {
  return {
    name: 'delete',
    path,
    repeatable: false,
    type: TYPE.delete,
    write: (to) => void to.string(path).int(version),
    read: nothing,
  };
}

export function exists(path: string, watch: boolean): Operation<Stat> {
  return { name: 'exists', path, repeatable: true, type: TYPE.exists, write: asking(path, watch), read: readStat };
}

export interface NodeData {
  readonly data: Buffer;
  readonly stat: Stat;
}

export function getData(path: string, watch: boolean): Operation<NodeData> {
  return {
    name: 'read',
    path,
    repeatable: true,
    type: TYPE.getData,
    write: asking(path, watch),
    read: (from) => ({ data: Buffer.from(from.bytes()), stat: readStat(from) }),
  };
}

/** `version` -1: whatever it is. */
export function setData(path: string, data: Buffer, version: number): Operation<Stat> {
  return {
    name: 'write',
    path,
    repeatable: false,
    type: TYPE.setData,
    write: (to) => void to.string(path).bytes(data).int(version),
    read: readStat,
  };
}

/** Answers with names, not paths. */
export function getChildren(path: string, watch: boolean): Operation<string[]> {
  return {
    name: 'list',
    path,
    repeatable: true,
    type: TYPE.getChildren,
    write: asking(path, watch),
    read: (from) => from.strings(),
  };
}

/** When it is answered, the server that answers has all that the ensemble had when it was asked. */
export function sync(path: string): Operation<void> {
  return {
    name: 'sync',
    path,
    repeatable: true,
    type: TYPE.sync,
    write: (to) => void to.string(path),
    read: nothing,
  };
}

/** Ends the session and its ephemeral nodes at once. */
export const closeSession: Operation<void> = {
  name: 'close',
  path: 'session',
  repeatable: false,
  type: TYPE_CLOSE,
  write: nothing,
  read: nothing,
};

function asking(path: string, watch: boolean): (to: JuteWriter) => void {
  return (to) => void to.string(path).bool(watch);
}

function readStat(from: JuteReader): Stat {
  const czxid = from.long();
  const mzxid = from.long();
  from.long(); // ctime
  from.long(); // mtime
  const version = from.int();
  from.int(); // cversion
  from.int(); // aversion
  const ephemeralOwner = from.long();
  const dataLength = from.int();
  return { czxid, mzxid, version, ephemeralOwner, dataLength };
}

function nothing(): void {
  // Neither asks nor answers anything beyond the header.
}
