/** Whether a client takes what was written for it: one that takes nothing keeps its server's connection from all others. */
import type { TransportWriter } from '../http1/transport-writer.ts';

export class ClientPace {
  private readonly writer: Pick<TransportWriter, 'isFull' | 'unsent'>;
  /** Bytes that it had not taken when that was looked at last. */
  private untaken: number;

  constructor(writer: Pick<TransportWriter, 'isFull' | 'unsent'>) {
    this.writer = writer;
    this.untaken = writer.unsent;
  }

  /** Whether it has taken something since that was looked at last. */
  goesOn(): boolean {
    const { isFull, unsent } = this.writer;
    const hasTaken = !isFull || unsent < this.untaken;
    this.untaken = unsent;
    return hasTaken;
  }
}
