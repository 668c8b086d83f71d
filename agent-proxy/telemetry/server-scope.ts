/** The scope of a server: its requests and its connections. */
import type { FigureVisitor } from './recorder.ts';
import { RequestScope } from './request-scope.ts';

/** A listening address of a router. */
export class ServerScope extends RequestScope {
  pending = 0;
  connects = 0;
  connections = 0;
  receivedBytes = 0;
  sentBytes = 0;
  /** Connections that were closed because they were idle, or had lived for long enough. */
  idleCloses = 0;
  lifetimeCloses = 0;

  /** `address` is `<ip>/<port>`. */
  constructor(router: string, address: string) {
    super(router, 'server', address);
  }

  get name(): string {
    return 'rt:server';
  }

  protected override more(visitor: FigureVisitor): void {
    visitor.counter('connects', this.connects);
    visitor.gauge('connections', this.connections);
    visitor.counter('received_bytes', this.receivedBytes);
    visitor.counter('sent_bytes', this.sentBytes);
    visitor.counter('idle', this.idleCloses);
    visitor.counter('lifetime', this.lifetimeCloses);
  }
}
