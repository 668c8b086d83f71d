/** Reads a response that nobody wants to its end, so that its connection can be used again; or cuts it if it is long. */
import type { BodySink } from '../http1/body-sink.ts';
import type { ClientConnection, ClientExchange, ResponseTarget } from '../http1/client-connection.ts';

/** A longer one costs more than another connection. */
const MOST_BYTES = 64 * 1024;

export class DiscardedResponse implements ClientExchange, BodySink {
  readonly method: string;
  readonly toPeer = false;
  readonly isSent: boolean;
  private readonly connection: ClientConnection;
  private bytesRead = 0;

  /** `isSent`: its request was written in full. */
  constructor(connection: ClientConnection, method: string, isSent: boolean) {
    this.connection = connection;
    this.method = method;
    this.isSent = isSent;
  }

  responded(): ResponseTarget {
    return { sink: this, form: 'content' };
  }

  bytes(_bytes: Buffer, from: number, to: number): void {
    this.bytesRead += to - from;
    if (this.bytesRead > MOST_BYTES) this.connection.destroy();
  }

  text(): void {
    // In this form there is no framing to write.
  }

  connected(): void {
    // It was connected before.
  }

  unconnected(): void {
    // Likewise.
  }

  informed(): void {
    // Nobody wants to know.
  }

  responsePaused(): void {
    // Nothing was written, so nothing has to be sent.
  }

  responseEnded(): void {
    // The pool has the connection.
  }

  responseBroken(): void {
    // Nobody misses it.
  }

  serverDrained(): void {
    // The rest of the request's body goes nowhere.
  }

  serverEnded(): void {
    // Not a tunnel.
  }
}
