/** Nodes that are there for those below them. */
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

/** Where the DC/OS SDK keeps a service's state; its name may have slashes (`/infra/mesh`). */
export function serviceRoot(service: string): string {
  return `/dcos-service-${service.replace(/^\//, '').replaceAll('/', '__')}`;
}
