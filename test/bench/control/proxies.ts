/**
 * Thousands of proxies in one process: each has a real control stream of its own, from one of several loopback addresses,
 * and knows its revision. One of them keeps the table as a proxy does, and what its digest is at each revision, the others
 * check and report with that. Reports share some connections.
 */
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { frameSchema, MAX_RECORD_BYTES } from '../../../agent-proxy/control/contract.ts';
import { frameText } from '../../../agent-proxy/control/frame-text.ts';
import { CONTROL_REPORT_PATH, CONTROL_SUBSCRIBE_PATH } from '../../../agent-proxy/control/wire-words.ts';
import { ServiceTable } from '../../../agent-proxy/routing/service-table.ts';
import { agentIdOf, ipOf, taskIdOf } from './agents.ts';
import { type FromProxies, nowMs, type Seen, type ToProxies } from './messages.ts';
import { StreamReader } from './stream-reader.ts';

const SOURCES = 8;
const RETRY_MS = 500;
const SOON_MS = 100;
const REPORT_SOCKETS = 16;
/** Connections that are begun in one turn of the loop. */
const AT_A_TIME = 50;

interface Settings {
  readonly host: string;
  readonly port: number;
  readonly first: number;
  readonly count: number;
}

const text = (buffer: Buffer): string => buffer.toString('latin1');

class SimulatedProxy {
  revision = 0;
  epoch = 0;
  session: string | null = null;
  /** Where it has to come to be served: what its snapshot or the answer to its resume led to. */
  isServed = false;
  socket: Socket | null = null;
  reports: NodeJS.Timeout | null = null;
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

export function runProxies({ host, port, first, count }: Settings): void {
  const proxies = Array.from({ length: count }, (_, index) => new SimulatedProxy(first + index));
  const table = new ServiceTable();
  const digests = new Map<number, string>();
  const seen = new Map<number, { proxies: number; lastAt: number }>();
  const agent = new Agent({ keepAlive: true, maxSockets: REPORT_SOCKETS });
  const figures = { resumed: 0, snapshots: 0, wrong: 0, lost: 0, lastAt: 0 };
  let accepts: readonly string[] = [];
  let sayDigest = false;
  let round = 0;
  const say = (message: FromProxies): void => {
    // Nobody may be there any more: this process ends then, too.
    process.send?.(message, undefined, undefined, () => undefined);
  };

  function subscribe(proxy: SimulatedProxy, ofRound: number): void {
    if (ofRound !== round) return;
    const digest = sayDigest ? digests.get(proxy.revision) : undefined;
    const body = JSON.stringify({
      ...{
        agentId: agentIdOf(proxy.index),
        taskId: taskIdOf(proxy.index),
        nodeIp: ipOf(proxy.index),
        version: '0.1.0',
      },
      ...{ epoch: proxy.epoch, revision: proxy.revision, configRevision: 1, accepts },
      ...(digest === undefined ? {} : { tableDigest: digest }),
      ports: { outgoing: 4140, incoming: 4141, admin: 9990 },
    });
    const localAddress = `127.0.88.${1 + (proxy.index % SOURCES)}`;
    const socket = connect({ host, port, localAddress, noDelay: true });
    proxy.socket = socket;
    proxy.session = null;
    const isReference = proxy.index === first;
    const reader = new StreamReader(
      (head) => (isReference ? keepTable(proxy, head) : heard(proxy, head)),
      isReference ? MAX_RECORD_BYTES : undefined,
    );
    socket.on('data', (bytes) => reader.push(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (proxy.socket !== socket || ofRound !== round) return;
      figures.lost += 1;
      proxy.isServed = false;
      setTimeout(() => subscribe(proxy, ofRound), RETRY_MS * (0.5 + Math.random()));
    });
    socket.write(
      `POST ${CONTROL_SUBSCRIBE_PATH} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }

  /** The one whose table is real. */
  function keepTable(proxy: SimulatedProxy, record: Buffer): void {
    const frame = frameSchema.parse(JSON.parse(frameText(record)));
    switch (frame.type) {
      case 'hello':
      case 'config':
      case 'heartbeat':
      case 'upgrade':
        break;
      default: {
        const applied = table.apply(frame);
        if (applied.kind === 'gap') figures.wrong += 1;
        if (applied.kind === 'applied') digests.set(table.revision, table.digest());
      }
    }
    heard(proxy, Buffer.from(frameText(record)));
  }

  function heard(proxy: SimulatedProxy, head: Buffer): void {
    // Compressed: the records in the midst of a snapshot.
    if (head[0] !== 0x7b) return;
    const start = text(head.subarray(0, 160));
    const type = /^\{"type":"([a-z-]+)"/.exec(start)?.[1];
    const number = (name: string): number => Number(new RegExp(`"${name}":(\\d+)`).exec(start)?.[1] ?? Number.NaN);
    switch (type) {
      case 'hello':
        proxy.epoch = number('epoch');
        proxy.session = /"session":"([^"]+)"/.exec(start)?.[1] ?? null;
        report(proxy, number('reportMs'));
        return;
      case 'resume':
        figures.resumed += 1;
        served(proxy, number('revision'));
        return;
      case 'snapshot-end': {
        figures.snapshots += 1;
        served(proxy, number('revision'));
        const digest = /"digest":"([0-9a-f]+)"/.exec(start)?.[1];
        const known = digests.get(proxy.revision);
        if (known !== undefined && digest !== known) figures.wrong += 1;
        if (digest !== undefined) digests.set(proxy.revision, digest);
        return;
      }
      case 'delta': {
        if (number('base') !== proxy.revision) figures.wrong += 1;
        proxy.revision = number('revision');
        const change = /change-(\d+)\./.exec(text(head))?.[1];
        if (change !== undefined) saw(Number(change));
        return;
      }
    }
  }

  function served(proxy: SimulatedProxy, revision: number): void {
    proxy.revision = revision;
    proxy.isServed = true;
    figures.lastAt = nowMs();
  }

  function saw(change: number): void {
    const entry = seen.get(change) ?? { proxies: 0, lastAt: 0 };
    entry.proxies += 1;
    entry.lastAt = nowMs();
    seen.set(change, entry);
  }

  function report(proxy: SimulatedProxy, everyMs: number): void {
    if (proxy.reports !== null) clearTimeout(proxy.reports);
    const again = (): void => {
      const digest = digests.get(proxy.revision) ?? (proxy.isServed ? undefined : '');
      const { session } = proxy;
      // What the table of this process has come to it has come to a moment later.
      proxy.reports = setTimeout(again, digest === undefined ? SOON_MS : everyMs);
      if (session === null || digest === undefined) return;
      const body = JSON.stringify({
        ...{ session, agentId: agentIdOf(proxy.index), taskId: taskIdOf(proxy.index), epoch: proxy.epoch },
        ...{ revision: proxy.revision, configRevision: 1, digest, version: '0.1.0', ready: true, reason: null },
        ...{ windowMs: everyMs, traffic: [], instances: [], workerRestarts: 0, staleFrames: 0 },
      });
      const headers = { 'content-length': Buffer.byteLength(body) };
      request({ host, port, path: CONTROL_REPORT_PATH, method: 'POST', agent, headers }, (answer) => answer.resume())
        .on('error', () => undefined)
        .end(body);
    };
    // The first one is spread over the time between two of them.
    proxy.reports = setTimeout(again, Math.random() * everyMs);
  }

  async function connectAll(): Promise<void> {
    round += 1;
    const mine = round;
    Object.assign(figures, { resumed: 0, snapshots: 0, wrong: 0, lost: 0, lastAt: 0 });
    for (const proxy of proxies) {
      proxy.isServed = false;
      proxy.socket?.destroy();
      proxy.socket = null;
      if (!sayDigest) proxy.revision = 0;
    }
    for (let from = 0; from < proxies.length; from += AT_A_TIME) {
      for (const proxy of proxies.slice(from, from + AT_A_TIME)) subscribe(proxy, mine);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  process.on('message', (message: ToProxies) => {
    switch (message.kind) {
      case 'connect':
        ({ accepts, sayDigest } = message);
        void connectAll();
        return;
      case 'served': {
        const { lastAt, resumed, snapshots, wrong, lost } = figures;
        const connected = proxies.filter(({ session }) => session !== null).length;
        const haveIt = proxies.filter(({ isServed }) => isServed).length;
        say({ kind: 'served', served: { connected, served: haveIt, lastAt, resumed, snapshots, wrong, lost } });
        return;
      }
      case 'seen': {
        const entry: Seen = { change: message.change, proxies: 0, lastAt: 0, ...seen.get(message.change) };
        say({ kind: 'seen', seen: entry });
        return;
      }
    }
  });
  process.on('disconnect', () => process.exit());
}
