/** Where operations wait for a connection, in the order in which they came, each no longer than it said. */
import type { Connection } from './connection.ts';
import { ZooKeeperError } from './errors.ts';

/** Callers limit themselves; this is against mistakes. */
const SEATS = 4096;

interface Waiting {
  go(connection: Connection): void;
  fail(error: ZooKeeperError): void;
}

export class WaitingRoom {
  readonly #waiting = new Set<Waiting>();

  /** The next connection. @throws {ZooKeeperError} `unreachable` after `withinMs` or when there are too many; what `fail` was given */
  enter(withinMs: number, unreachable: () => string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.size >= SEATS) {
        reject(new ZooKeeperError('unreachable', `${unreachable()}; ${SEATS} operations wait already`));
        return;
      }
      const leave = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
      };
      const waiting: Waiting = {
        go(connection) {
          leave();
          resolve(connection);
        },
        fail(error) {
          leave();
          reject(error);
        },
      };
      const timer = setTimeout(() => waiting.fail(new ZooKeeperError('unreachable', unreachable())), withinMs);
      this.#waiting.add(waiting);
    });
  }

  go(connection: Connection): void {
    for (const waiting of [...this.#waiting]) waiting.go(connection);
  }

  fail(error: ZooKeeperError): void {
    for (const waiting of [...this.#waiting]) waiting.fail(error);
  }
}
