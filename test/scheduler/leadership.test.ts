/** Leadership where there is no ZooKeeper; with one, test/e2e/over-zookeeper.test.ts has whole schedulers. */
import { expect, it } from 'vitest';
import { parseConnectString } from '../../framework/index.ts';
import { seekLead } from '../../scheduler/leadership.ts';

it('a scheduler that still looks for ZooKeeper stops at once', async () => {
  const ignore = (): void => undefined;
  const leadership = seekLead({
    state: { kind: 'zookeeper', ensemble: parseConnectString('zk://127.0.0.1:1/nodemesh') },
    name: 'nodemesh',
    advertise: 'http://127.0.0.1:1',
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  });
  const begin = performance.now();
  await leadership.stop();
  // It would look for half a minute.
  expect(performance.now() - begin).toBeLessThan(5_000);
  await expect(leadership.won).rejects.toThrow();
});
