/** The master's whole state at the beginning of the operator stream: large, read in pieces, and with odd things in it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readRecord } from '../../../framework/mesos-http-client/event-decoder.ts';
import { EventStream } from '../../../framework/mesos-http-client/event-stream.ts';
import {
  createOperator,
  encodeRecord,
  fixedMaster,
  type Operator,
} from '../../../framework/mesos-http-client/index.ts';
import { decodeOperatorEvent } from '../../../framework/mesos-http-client/operator.ts';
import { ALL_PARTS, isSnapshot, readSnapshot } from '../../../framework/mesos-http-client/operator-snapshot.ts';
import { ScriptedMaster, until } from './scripted-master.ts';

const later = <T>(value: T, ms: number): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value));
const bytesOf = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json));

const agent = { agent_info: { hostname: 'h', id: { value: 'S1' } }, pid: 'slave(1)@10.0.0.5:5051' };

function task(id: string, rest: object = {}): object {
  const status = (state: string, timestamp: number): object => ({
    task_id: { value: id },
    state,
    source: 'SOURCE_EXECUTOR',
    agent_id: { value: 'S1' },
    executor_id: { value: id },
    timestamp,
    uuid: 'LZCGhRqORDClGJpnv9Xv1g==',
    container_status: {
      container_id: { value: 'b19d5ea1-d385-4c4b-a615-b930dc30192f' },
      network_infos: [{ ip_addresses: [{ protocol: 'IPv4', ip_address: '10.0.0.5' }] }],
      executor_pid: 13_707,
    },
  });
  return {
    name: `name of ${id}`,
    task_id: { value: id },
    framework_id: { value: 'f-1' },
    agent_id: { value: 'S1' },
    state: 'TASK_RUNNING',
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 }, allocation_info: { role: '*' } },
      {
        name: 'ports',
        type: 'RANGES',
        ranges: { range: [{ begin: 31_000, end: 31_001 }] },
        allocation_info: { role: '*' },
      },
    ],
    statuses: [status('TASK_STARTING', 1_795_192_464.5), status('TASK_RUNNING', 1_795_192_464.6)],
    labels: { labels: [{ key: 'DCOS_SPACE', value: '/a/{"b":[1]}' }] },
    discovery: {
      visibility: 'CLUSTER',
      name: id,
      ports: { ports: [{ number: 31_000, name: 'http', protocol: 'tcp' }] },
    },
    ...rest,
  };
}

function subscribed(tasks: readonly object[], rest: object = {}): object {
  const framework = {
    framework_info: { user: 'root', name: 'f', id: { value: 'f-1' } },
    active: true,
    connected: true,
  };
  return {
    type: 'SUBSCRIBED',
    subscribed: {
      get_state: {
        get_tasks: {
          tasks,
          unreachable_tasks: [task('away', { state: 'TASK_UNREACHABLE' })],
          completed_tasks: [task('old')],
        },
        get_executors: { executors: [] },
        get_frameworks: { frameworks: [framework], completed_frameworks: [] },
        get_agents: { agents: [agent], recovered_agents: [{ hostname: 'r', id: { value: 'S2' } }] },
        ...rest,
      },
      heartbeat_interval_seconds: 15,
    },
  };
}

async function stateOf(json: unknown, parts = ALL_PARTS) {
  const decoded = await readSnapshot(bytesOf(json), parts);
  if (decoded.kind !== 'event' || decoded.event.type !== 'SUBSCRIBED') throw new Error(`it is ${decoded.kind}`);
  return decoded.event.subscribed;
}

describe('a snapshot read in pieces', () => {
  test('is the one that is read whole', async () => {
    const json = subscribed([task('t-1'), task('t-2')]);
    expect(await readSnapshot(bytesOf(json), ALL_PARTS)).toEqual(readRecord(bytesOf(json), decodeOperatorEvent));
    const bare = { type: 'SUBSCRIBED', subscribed: {} };
    expect(await readSnapshot(bytesOf(bare), ALL_PARTS)).toEqual(readRecord(bytesOf(bare), decodeOperatorEvent));
  });

  test('lets go of a task that it cannot read, and says so', async () => {
    const { get_state, unreadable } = await stateOf(
      subscribed([
        task('t-1'),
        task('t-2', { state: 'TASK_OF_THE_FUTURE' }),
        {},
        task('t-3', { discovery: { ports: 7 } }),
      ]),
    );
    expect(get_state?.get_tasks?.tasks.map(({ task_id }) => task_id.value)).toEqual(['t-1', 't-3']);
    expect(get_state?.get_tasks?.tasks[1]?.discovery).toBeUndefined();
    expect(unreadable).toBe(2);
  });

  test('has only what is wanted', async () => {
    const { get_state } = await stateOf(subscribed([task('t-1')]), ['agents']);
    expect(get_state?.get_agents?.agents).toHaveLength(1);
    expect(get_state?.get_agents?.recovered_agents).toHaveLength(1);
    expect(get_state?.get_tasks).toMatchObject({ tasks: [], unreachable_tasks: [], completed_tasks: [] });
    expect(get_state?.get_frameworks?.frameworks).toEqual([]);
  });

  test('is damaged where an agent is no agent, where it is no JSON, and where it is no UTF-8', async () => {
    const noAgent = subscribed([], { get_agents: { agents: [{ pid: 7 }] } });
    expect(await readSnapshot(bytesOf(noAgent), ALL_PARTS)).toEqual({ kind: 'bad' });
    expect(await readSnapshot(bytesOf(noAgent), ['tasks'])).toMatchObject({ kind: 'event' });
    const bytes = bytesOf(subscribed([task('t-1')]));
    expect(await readSnapshot(bytes.subarray(0, -1), ALL_PARTS)).toEqual({ kind: 'bad' });
    const inTask = new Uint8Array(bytes);
    inTask[Buffer.from(bytes).indexOf('name of t-1')] = 0xff;
    expect(await readSnapshot(inTask, ALL_PARTS)).toEqual({ kind: 'bad' });
  });

  test('is told from other events by its head', () => {
    expect(isSnapshot(bytesOf(subscribed([])))).toBe(true);
    expect(isSnapshot(bytesOf({ type: 'TASK_ADDED', task_added: { task: task('SUBSCRIBED') } }))).toBe(false);
  });
});

describe('the operator stream', () => {
  let master: ScriptedMaster;
  let operator: Operator | null = null;
  beforeEach(async () => {
    master = await new ScriptedMaster().start();
  });
  afterEach(async () => {
    operator?.close();
    operator = null;
    await master.stop();
  });

  test('is not given up while a large record is being read, however long that takes; after it, it is', async () => {
    const downs: string[] = [];
    const heard: object[] = [];
    const stream = new EventStream<object>({
      access: { masters: fixedMaster(master.url) },
      path: '/api/v1',
      body: () => ({ type: 'SUBSCRIBE' }),
      decode: (record) => ({ kind: 'event', event: record as object }),
      // Five times as long as silence may be.
      readInPieces: (record) => (record.length < 1_000 ? null : later({ kind: 'event', event: { large: true } }, 500)),
      subscribedIntervalMs: () => 'default',
      heartbeatMs: 20,
      onEvent: (event) => void heard.push(event),
      onDown: (reason) => void downs.push(`${heard.length} ${reason}`),
    });
    master.onSubscribe = (_received, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(encodeRecord('{"type":"SUBSCRIBED"}'));
      response.write(encodeRecord(`{"type":"SUBSCRIBED","filling":"${'x'.repeat(1_000)}"}`));
    };
    stream.open();
    await until(() => downs.length > 0);
    stream.close();
    expect(heard[1]).toEqual({ large: true });
    expect(downs[0]).toBe('2 nothing heard for 0.1 s');
  });

  test('a snapshot that comes slowly is not silence', async () => {
    const record = encodeRecord(JSON.stringify(subscribed([task('t-1')])));
    const downs: string[] = [];
    const heard: string[] = [];
    operator = createOperator({
      masters: fixedMaster(master.url),
      heartbeatMs: 100,
      onEvent: (event) => void heard.push(event.type),
      onDown: (reason) => void downs.push(reason),
    });
    master.onSubscribe = (_received, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      master.streams.push(response);
      master.write({ type: 'SUBSCRIBED', subscribed: {} });
      // Twenty pieces, each well within the half second of five heartbeats, all of them together far beyond.
      let at = 0;
      const timer = setInterval(() => {
        const end = Math.min(record.length, at + Math.ceil(record.length / 20));
        response.write(record.subarray(at, end));
        at = end;
        if (at === record.length) clearInterval(timer);
      }, 40);
      response.on('close', () => clearInterval(timer));
    };
    operator.open();
    await until(() => heard.length >= 2);
    expect(downs).toEqual([]);
  });
});
