/** Who may call: the recorded refusals byte for byte, and the session of the one who may. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { exchange, streamed } from './raw-http.ts';
import {
  exchanges,
  haveRecordings,
  parseResponse,
  rawRequest,
  recordedResponse,
  recordedStream,
} from './recordings.ts';
import { Replay } from './replay.ts';
import { essence, expectSameAnswer, serve } from './served.ts';
import { anonymous } from './shape.ts';

const CREDENTIALS = [
  { principal: 'fw', secret: 's3cret', roles: ['web'] },
  { principal: 'op', secret: '0p' },
];

describe.runIf(haveRecordings)(haveRecordings ? 'as recorded' : 'as recorded (not run: no ../shared)', () => {
  it('authentication', async () => {
    const replay = new Replay('authentication', { hosts: ['127.0.0.1'], port: 5050, credentials: CREDENTIALS });
    const port = await serve(() => replay.master);
    const [theirs] = recordedStream('authentication', 'subscribe-ok');
    if (theirs?.event.type !== 'SUBSCRIBED') throw new Error('SUBSCRIBED was expected');
    const theirFramework = theirs.event.subscribed.framework_id.value;
    const theirStream = recordedResponse('authentication', 'subscribe-ok').headers['mesos-stream-id'] ?? '';
    let ours = { framework: '', stream: '' };
    for (const name of exchanges('authentication')) {
      const recorded = recordedResponse('authentication', name);
      // Their offers, tasks and updates are not ours: the replay below goes through them.
      if (/accept|acknowledge/.test(name)) continue;
      if (recorded.headers['transfer-encoding'] !== 'chunked') {
        await expectSameAnswer(port, 'authentication', name, (text) =>
          text.replaceAll(theirFramework, ours.framework).replaceAll(theirStream, ours.stream),
        );
        continue;
      }
      const got = await exchange(port, rawRequest('authentication', name), streamed(/SUBSCRIBED|ERROR/));
      onTestFinished(() => void got.socket.destroy());
      const response = parseResponse(got.text);
      expect(essence(response, true)).toEqual(essence(recorded, true));
      expect(firstRecord(response.body)).toEqual(firstRecord(recorded.body));
      const framework = /"framework_id":\{"value":"([^"]+)"/.exec(got.text)?.[1] ?? '';
      ours = { framework, stream: response.headers['mesos-stream-id'] ?? '' };
    }
    expect(ours.framework).not.toBe('');
  });

  it('authentication: the session of the one who may', async () => {
    const replay = new Replay('authentication', { hosts: ['127.0.0.1'], credentials: CREDENTIALS });
    const stream = await replay.subscribe('subscribe-ok');
    expect(await replay.send('accept')).toBeNull();
    await replay.until(1500);
    replay.expectSame(stream);
  });
});

function firstRecord(body: string): unknown {
  const json = body.slice(body.indexOf('{'));
  return JSON.parse(anonymous(json.slice(0, json.search(/\r?\n/))));
}
