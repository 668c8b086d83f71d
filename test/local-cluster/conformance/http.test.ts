/** Over real sockets: refusals, headers and the operator's endpoints, byte for byte but for ids and dates. */
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { OperatorEventWire } from '../../../local-cluster/master/operator-stream.ts';
import { answers, exchange, fitted, streamed } from './raw-http.ts';
import {
  exchanges,
  haveRecordings,
  parseResponse,
  rawRequest,
  recordedResponse,
  recordedStream,
} from './recordings.ts';
import { Replay } from './replay.ts';
import { essence, serve } from './served.ts';
import { anonymous, shapeOf } from './shape.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

describe.runIf(haveRecordings)(haveRecordings ? 'as recorded' : 'as recorded (not run: no ../shared)', () => {
  it('bad_requests', async () => {
    const replay = new Replay('bad_requests');
    const port = await serve(() => replay.master);
    let ours = { framework: '', stream: '' };
    const [theirs] = recordedStream('bad_requests', 'subscribe');
    if (theirs?.event.type !== 'SUBSCRIBED') throw new Error('SUBSCRIBED was expected');
    const theirFramework = theirs.event.subscribed.framework_id.value;
    const theirStream = recordedResponse('bad_requests', 'subscribe').headers['mesos-stream-id'] ?? '';
    for (const name of exchanges('bad_requests')) {
      const recorded = recordedResponse('bad_requests', name);
      if (name.endsWith('revive-after-teardown')) {
        replay.master.call(ours.framework as never, ours.stream, { type: 'TEARDOWN' });
      }
      const bytes = rawRequest('bad_requests', name)
        .replaceAll(theirFramework, ours.framework || theirFramework)
        .replaceAll(theirStream, ours.stream || theirStream);
      const isStream = recorded.headers['transfer-encoding'] === 'chunked';
      const got = await exchange(port, fitted(bytes), isStream ? streamed(/SUBSCRIBED|ERROR/) : answers(1));
      cleanups.push(() => got.socket.destroy());
      const response = parseResponse(got.text);
      expect({ name, ...(essence(response, isStream) as object) }).toEqual({
        name,
        ...(essence(recorded, isStream) as object),
      });
      if (isStream) expect(firstRecord(response.body)).toEqual(firstRecord(recorded.body));
      if (!name.endsWith('-subscribe')) continue;
      const id = /"framework_id":\{"value":"([^"]+)"/.exec(got.text)?.[1] ?? '';
      ours = { framework: id, stream: response.headers['mesos-stream-id'] ?? '' };
    }
  });

  it('http_details', async () => {
    const replay = new Replay('http_details', { hosts: ['127.0.0.1'] });
    const port = await serve(() => replay.master);
    const subscribe = 'subscribe-accept-encoding-gzip';
    const recorded = recordedStream('http_details', subscribe)[0]?.event;
    const theirStream = recordedResponse('http_details', subscribe).headers['mesos-stream-id'] ?? '';
    if (recorded?.type !== 'SUBSCRIBED') throw new Error('SUBSCRIBED was expected');
    const theirId = recorded.subscribed.framework_id.value;

    for (const name of ['GET_state-gzip', 'POST-GET_STATE-gzip']) {
      const got = await exchange(port, rawRequest('http_details', name), answers(1));
      const response = parseResponse(got.text);
      expect(response.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-type': 'application/json' });
      expect(() => JSON.parse(gunzipSync(Buffer.from(response.body, 'latin1')).toString())).not.toThrow();
    }
    const stream = await exchange(port, rawRequest('http_details', subscribe), streamed(/SUBSCRIBED/));
    cleanups.push(() => stream.socket.destroy());
    expect(parseResponse(stream.text).headers['content-encoding']).toBeUndefined();
    const ourStream = parseResponse(stream.text).headers['mesos-stream-id'] ?? '';
    const ourId = /"framework_id":\{"value":"([^"]+)"/.exec(stream.text)?.[1] ?? '';

    const plain: [name: string, count: number][] = [
      ['chunked-request-body', 1],
      ['two-pipelined-requests-keep-alive', 2],
      ['expect-100-continue', 1],
      ['content-type-with-charset', 1],
      ['accept-star', 1],
      ['unknown-path', 1],
      ['empty-body', 1],
      ['jsonp', 1],
      ['subscribe-recordio-accept', 1],
    ];
    for (const [name, count] of plain) {
      expect(ourId).toHaveLength(theirId.length);
      const bytes = rawRequest('http_details', name).replaceAll(theirId, ourId).replaceAll(theirStream, ourStream);
      const got = await exchange(port, bytes, answers(count));
      got.socket.destroy();
      // The order of headers is the server's own, and Mesos writes the number 15 as 15.0.
      const text = (raw: string): string => anonymous(raw.replace(/Date: [^\r]+\r\n/g, '').replace(/(\d)\.0,/g, '$1,'));
      const theirs = recordedResponse('http_details', name);
      expect({ name, ...(essence(parseResponse(text(got.text)), false) as object) }).toEqual({
        name,
        ...(essence({ ...theirs, body: text(theirs.body) }, false) as object),
      });
    }
    const garbage = await exchange(port, rawRequest('http_details', 'garbage'), () => false);
    expect(garbage).toMatchObject({ text: '', closed: true });
    // Protobuf is out of scope: asked for alone it is refused.
    const protobuf = rawRequest('http_details', 'subscribe-json-request-protobuf-response');
    expect(parseResponse((await exchange(port, protobuf, answers(1))).text).status).toBe(406);
  });

  it('operator_get', async () => {
    const replay = new Replay('operator_get');
    const port = await serve(() => replay.master);
    await replay.subscribe('subscribe');
    await replay.send('accept');
    await replay.until(1000);
    const compared: string[] = [];
    for (const name of exchanges('operator_get').slice(7)) {
      if (NOT_SERVED.some((path) => name.endsWith(path)) || name.includes('agent-')) continue;
      const recorded = recordedResponse('operator_get', name);
      const got = await exchange(port, rawRequest('operator_get', name), answers(1));
      got.socket.destroy();
      const response = parseResponse(got.text);
      expect({ name, status: response.status }).toEqual({ name, status: recorded.status });
      expect(Object.keys(response.headers).sort()).toEqual(Object.keys(recorded.headers).sort());
      if (!recorded.body.startsWith('{')) continue;
      expect({ name, shape: bodyShape(response.body) }).toEqual({ name, shape: bodyShape(recorded.body) });
      compared.push(name);
    }
    expect(compared.length).toBeGreaterThan(20);
  });

  it('operator_subscribe', async () => {
    const replay = new Replay('operator_subscribe');
    const events: OperatorEventWire[] = [];
    replay.master.operatorSubscribe({ event: (event) => events.push(event), closed: () => {} });
    await replay.until(1008);
    await replay.subscribeUnrecorded();
    await replay.launchUnrecorded('op-1', ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED'], {
      labels: { labels: [{ key: 'app', value: 'x' }] },
    });
    replay.tearDown();
    await replay.until(15_000);
    const theirs = recordedStream('operator_subscribe', 'subscribe').map(
      ({ event }) => event as unknown as OperatorEventWire,
    );
    const ours = JSON.parse(JSON.stringify(events)) as OperatorEventWire[];
    expect(ours.map(({ type }) => type)).toEqual(theirs.map(({ type }) => type));
    for (const type of new Set(theirs.map((event) => event.type))) {
      if (type === 'SUBSCRIBED') continue;
      const of = (list: OperatorEventWire[]): string[] =>
        shapeOf(list.filter((event) => event.type === type)).filter((path) => !path.includes('message'));
      expect({ type, shape: of(ours) }).toEqual({ type, shape: of(theirs) });
    }
  });
});

/** Out of scope: nobody here reads them. */
const NOT_SERVED = [
  'GET_flags',
  'GET_machine_up',
  'GET_metrics_snapshot',
  'GET_',
  'LIST_FILES',
  'READ_FILE',
  'files_read',
];

/** Of the flags we have three, of the cluster's name none: those paths are left out. */
function bodyShape(body: string): string[] {
  const shape = shapeOf([JSON.parse(body)]);
  return shape.filter((path) => !path.startsWith('flags.') && !path.startsWith('cluster '));
}

function firstRecord(body: string): unknown {
  const json = body.slice(body.indexOf('{'));
  return JSON.parse(anonymous(json.slice(0, json.indexOf('\r\n'))));
}
