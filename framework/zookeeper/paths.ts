/** Paths: making them, removing all below one, and which one is a service's. */
import { isZooKeeperError } from './errors.ts';
import type { Session } from './session.ts';

/** As `mkdir -p`: makes the node and those above it, empty, where they are not there. @throws {ZooKeeperError} */
export async function makePath(session: Session, path: string): Promise<void> {
  const segments = path.split('/').slice(1);
  for (let count = 1; count <= segments.length; count += 1) {
    const part = `/${segments.slice(0, count).join('/')}`;
    for (;;) {
      if ((await session.exists(part)) !== null) break;
      try {
        await session.create(part, Buffer.alloc(0));
        break;
      } catch (error) {
        if (isZooKeeperError(error, 'node-exists')) break;
        // Carried out or not: look again.
        if (!isZooKeeperError(error, 'connection-loss')) throw error;
      }
    }
  }
}

/**
 * As `rm -r`: removes the node and all below it, where they are there; resumable at any point. Nodes that others make
 * meanwhile may make it fail. @throws {ZooKeeperError}
 */
export async function removePath(session: Session, path: string): Promise<void> {
  for (;;) {
    try {
      for (const name of await session.getChildren(path)) await removePath(session, `${path}/${name}`);
      await session.delete(path, -1);
      return;
    } catch (error) {
      if (isZooKeeperError(error, 'no-node')) return;
      if (!isZooKeeperError(error, 'connection-loss')) throw error;
    }
  }
}

/** Where the DC/OS SDK keeps a service's state; its name may have slashes (`/infra/mesh`). */
export function serviceRoot(service: string): string {
  return `/dcos-service-${service.replace(/^\//, '').replaceAll('/', '__')}`;
}
