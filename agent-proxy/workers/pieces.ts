/** Cuts what goes from one worker to another into pieces, none of them large, and deals with one piece in a turn. */
import { setImmediate as nextTurn } from 'node:timers/promises';

export async function* inPieces<T>(
  lists: AsyncIterable<readonly T[]> | Iterable<readonly T[]>,
  most: number,
): AsyncGenerator<readonly T[]> {
  for await (const list of lists) {
    for (let from = 0; from < list.length; from += most) yield list.slice(from, from + most);
  }
}

/** Piece after piece; between two of them the loop gets its turn. */
export async function* oneInATurn<T>(pieces: Iterable<T>): AsyncGenerator<T> {
  for (const piece of pieces) {
    yield piece;
    await nextTurn();
  }
}
