/** A raw client: sends a stream in pieces, and reads answers until it has enough of them, the end, or no patience left. */
import { connect } from 'node:net';

export interface Conversation {
  /** All that came back, one character a byte. */
  readonly answer: string;
  /** - `done`: enough came; `ended`: the other side ended or cut the connection; `silent`: nothing came any more. */
  readonly how: 'done' | 'ended' | 'silent';
}

const PATIENCE_MS = 2_000;

export function converse(
  port: number,
  pieces: readonly Buffer[],
  isDone: (answer: string) => boolean,
): Promise<Conversation> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const finish = (how: Conversation['how']): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answer, how });
    };
    const timer = setTimeout(() => finish('silent'), PATIENCE_MS);
    socket.on('connect', () => {
      if (isDone('')) finish('done');
      else sendEach(0);
    });
    // Piece by piece: written at once they would arrive as one.
    const sendEach = (index: number): void => {
      const piece = pieces[index];
      if (piece === undefined || socket.destroyed) return;
      socket.write(piece, () => setImmediate(() => sendEach(index + 1)));
    };
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1');
      if (isDone(answer)) finish('done');
    });
    socket.on('error', () => finish('ended'));
    socket.on('close', () => finish('ended'));
  });
}
