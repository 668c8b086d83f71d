/** The end of a connection from our side: its client may still read what was written, for as long as it does read. */
import type { Transport } from '../transport/transport.ts';
import type { TransportWriter } from './transport-writer.ts';

/** How long the client may take to hang up after our last byte. */
const LINGER_MS = 2_000;
/** How long it may take none of our last bytes. */
const SLOW_READER_MS = 30_000;

export class HangUp {
  private readonly writer: TransportWriter;
  /** Bytes that the client has not taken yet. */
  private unsent: number;

  /** Ends our side. */
  constructor(transport: Transport, writer: TransportWriter) {
    this.writer = writer;
    writer.flushNow();
    transport.end();
    this.unsent = writer.unsent;
  }

  /** Milliseconds until {@link goesOn} is to be asked. */
  get patienceMs(): number {
    return SLOW_READER_MS;
  }

  /** Milliseconds that the client has once it has got everything. */
  get lingerMs(): number {
    return LINGER_MS;
  }

  /** It has taken something since it was asked last. */
  goesOn(): boolean {
    const { unsent } = this.writer;
    const isMoving = unsent < this.unsent;
    this.unsent = unsent;
    return isMoving;
  }
}
