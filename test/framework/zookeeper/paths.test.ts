/** Paths of nodes. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { makePath, removePath, serviceRoot } from '../../../framework/zookeeper/paths.ts';
import { startTcpLink } from '../../fixtures/tcp-link.ts';
import { type Ensemble, startZooKeeper } from '../../fixtures/zookeeper.ts';
import { openTestSession } from './open.ts';

let zookeeper: Ensemble;
beforeAll(async () => {
  zookeeper = await startZooKeeper();
});
afterAll(() => zookeeper.stop());

it('are made with all above them, and removed with all below them, also over a link that breaks', async () => {
  const link = await startTcpLink(zookeeper.servers[0]?.port ?? 0);
  onTestFinished(() => link.close());
  const session = await openTestSession(`127.0.0.1:${link.port}`);
  const making = makePath(session, '/a/b/c');
  link.cut();
  await making;
  await makePath(session, '/a/b/c');
  await makePath(session, '/a/d');
  expect((await session.getChildren('/a')).sort()).toEqual(['b', 'd']);
  const removing = removePath(session, '/a');
  link.cut();
  await removing;
  await removePath(session, '/a');
  expect(await session.exists('/a')).toBeNull();
});

it.each([
  ['nodemesh', '/dcos-service-nodemesh'],
  ['/nodemesh', '/dcos-service-nodemesh'],
  ['/infra/mesh', '/dcos-service-infra__mesh'],
])("of the service %s is the SDK's", (service, root) => {
  expect(serviceRoot(service)).toBe(root);
});
