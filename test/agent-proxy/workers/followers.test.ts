/** What the worker that leads tells the others when they come, and when something changes. */
import { expect, test } from 'vitest';
import { PeerKeys } from '../../../agent-proxy/control/peer-keys.ts';
import { MetricsTree } from '../../../agent-proxy/telemetry/metrics-tree.ts';
import { Followers } from '../../../agent-proxy/workers/followers.ts';
import type { FromFollower, FromLeader } from '../../../agent-proxy/workers/messages.ts';
import { ToldTable } from '../../../agent-proxy/workers/told-table.ts';
import { endpoint } from '../../fixtures/control-stream.ts';

function leader(count = 3) {
  const sent: { readonly to: number; readonly message: FromLeader }[] = [];
  let hear = (_message: FromFollower, _from: number): void => undefined;
  const table = new ToldTable();
  const keys = new PeerKeys();
  const followers = new Followers({
    channel: {
      send(to, message) {
        sent.push({ to, message });
        return true;
      },
      onMessage(listener) {
        hear = listener;
      },
    },
    count,
    tree: new MetricsTree(),
    now: () => 0,
    mesh: { table, keys, epoch: () => 7 },
  });
  return {
    ...{ followers, table, keys, sent },
    hear: (message: FromFollower, from: number) => hear(message, from),
    /** What was sent since it was asked for last. */
    news: () => sent.splice(0).map(({ to, message }) => `${to} ${message.kind}`),
  };
}

const NEW: FromFollower = { kind: 'join', table: { revision: null, digest: '', filled: '' } };

test('who begins to lead asks who is there', () => {
  expect(leader().news()).toEqual(['1 lead', '2 lead']);
});

test('a worker that comes is told what was said before it came', () => {
  const { followers, table, keys, hear, news, sent } = leader();
  followers.setLevel('root', 'ERROR');
  keys.set('a-key-of-sixteen-characters');
  table.restore({
    revision: 3,
    services: [{ name: 'web', endpoints: [endpoint({ service: 'web', instance: 'web.1', port: 80 })] }],
    agents: [],
    documents: [],
    filled: [],
  });
  news();
  hear(NEW, 2);
  expect(sent.map(({ message }) => message)).toMatchObject([
    { kind: 'level', logger: 'root', level: 'ERROR' },
    { kind: 'peer-key', key: 'a-key-of-sixteen-characters' },
    { kind: 'frame', frame: { type: 'snapshot-begin', epoch: 7, revision: 3 } },
    { kind: 'frame', frame: { type: 'services' } },
  ]);
  expect(news()).toHaveLength(4);
  hear({ kind: 'took', isGap: false }, 2);
  expect(news()).toEqual(['2 frame']);
});

test('a worker that has the same table from disk is not told it again', () => {
  const { table, hear, news } = leader();
  table.restore({ revision: 3, services: [], agents: [], documents: [], filled: [] });
  news();
  hear({ kind: 'join', table: { revision: 3, digest: table.digest(), filled: table.filledDigest() } }, 1);
  expect(news()).toEqual([]);
});

test('a key or a level that changes is told to all at once', () => {
  const { followers, news } = leader();
  news();
  followers.keyChanged('another-key-of-sixteen');
  followers.setLevel('root', 'INFO');
  expect(news()).toEqual(['1 peer-key', '2 peer-key', '1 level', '2 level']);
});
