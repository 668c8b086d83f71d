/** Leadership where there is no ZooKeeper; with one, test/e2e/over-zookeeper.test.ts has whole schedulers. */
import { expect, it } from 'vitest';
import { parseConnectString } from '../../framework/index.ts';
import { seekLead } from '../../scheduler/leadership.ts';

it('a scheduler that still looks for ZooKeeper says where, and stops at once', async () => {
  const ignore = (): void => undefined;
  const said: unknown[] = [];
  const leadership = seekLead({
    state: { kind: 'zookeeper', ensemble: parseConnectString('zk://mesh:hidden@127.0.0.1:1/nodemesh') },
    name: 'nodemesh',
    advertise: 'http://127.0.0.1:1',
    logger: { debug: ignore, info: (fields, message) => said.push([message, fields]), warn: ignore, error: ignore },
  });
  expect(said).toEqual([['looking for ZooKeeper', { zookeeper: 'zk://127.0.0.1:1/nodemesh' }]]);
  const begin = performance.now();
  await leadership.stop();
  // It would look for half a minute.
  expect(performance.now() - begin).toBeLessThan(5_000);
  await expect(leadership.won).rejects.toThrow();
});
