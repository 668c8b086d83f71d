/** A large JSON object piece by piece, so that showing thousands of entries never holds the loop for long. */
import { Slice } from '../timing/slices.ts';
import { maskSecrets } from './mask.ts';

/** An object of these entries, a line each, without their secrets. Each entry by itself is small. */
export async function* jsonPieces(
  entries: Iterable<readonly [string, unknown]> | AsyncIterable<readonly [string, unknown]>,
  clock: () => number,
): AsyncGenerator<string> {
  const slice = new Slice(clock);
  let text = '{';
  let separator = '\n';
  for await (const [key, value] of entries) {
    text += `${separator}${JSON.stringify(key)}:${JSON.stringify(maskSecrets(value)) ?? 'null'}`;
    separator = ',\n';
    if (!slice.isOver) continue;
    yield text;
    text = '';
    await slice.rest();
  }
  yield `${text}\n}\n`;
}
