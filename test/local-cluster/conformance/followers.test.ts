/** Masters that do not lead: what they answer, byte for byte, and in what order a new leader lets callers in. */
import { describe, expect, it } from 'vitest';
import type { NotLeading } from '../../../local-cluster/master/not-leading.ts';
import { newMaster } from '../master/support/lab.ts';
import { VirtualClock } from '../master/support/virtual-clock.ts';
import { answers, exchange } from './raw-http.ts';
import { exchanges, haveRecordings, parseResponse, rawRequest } from './recordings.ts';
import { expectSameAnswer, serve } from './served.ts';

const LEADER = { hostname: '127.0.0.1', port: 5050 };

describe.runIf(haveRecordings)(haveRecordings ? 'as recorded' : 'as recorded (not run: no ../shared)', () => {
  it('master_failover: what a follower answers', async () => {
    const port = await serve(() => ({ kind: 'follower', leader: LEADER }));
    const asked = exchanges('master_failover').filter((name) => name.includes('-nonleader-'));
    expect(asked).toHaveLength(14);
    // The first bytes of a version's answer are ours; its shape is compared with the leader's.
    for (const name of asked.filter((one) => !one.endsWith('GET_version')))
      await expectSameAnswer(port, 'master_failover', name);
  });

  it('master_failover: a new leader redirects, then recovers, then does not know the framework', async () => {
    const master = newMaster(new VirtualClock(), { ip: '127.0.0.3' });
    let standing: NotLeading | typeof master = { kind: 'follower', leader: LEADER };
    const port = await serve(() => standing);
    const call = async (): Promise<[status: number, location: string | undefined, body: string]> => {
      const got = await exchange(port, rawRequest('master_failover', 'kill'), answers(1));
      got.socket.destroy();
      const { status, headers, body } = parseResponse(got.text);
      return [status, headers['location'], body];
    };
    const answersOf = [await call()];
    standing = { kind: 'recovering', leader: { hostname: '127.0.0.3', port: 5050 } };
    answersOf.push(await call());
    standing = master;
    answersOf.push(await call());
    expect(answersOf).toEqual([
      [307, '//127.0.0.1:5050/master/api/v1/scheduler', ''],
      [503, undefined, 'Master has not finished recovery'],
      [400, undefined, 'Framework cannot be found'],
    ]);
  });

  it('a restarted master redirects to itself while its old node is in ZooKeeper', async () => {
    let port = 0;
    port = await serve(() => ({ kind: 'follower', leader: { hostname: '127.0.0.1', port } }));
    const got = await exchange(port, rawRequest('master_failover', 'kill'), answers(1));
    got.socket.destroy();
    expect(parseResponse(got.text).headers['location']).toBe(`//127.0.0.1:${port}/master/api/v1/scheduler`);
  });
});
