/** Prints a report again and again until it is told to stop: on a terminal in place, elsewhere one after the other. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Screen } from './screen.ts';

const INTERVAL_MS = 2_000;
/** Home, and clear what was there. */
const CLEAR = '\u001b[H\u001b[J';

/**
 * The first report must succeed; a later failure is shown in its place, and the watch goes on: a scheduler that restarts
 * is just what one wants to watch. Resolves when `stop` is aborted.
 */
export async function watch(
  once: (stop: AbortSignal) => Promise<string>,
  screen: Screen,
  json: boolean,
  stop: AbortSignal,
  intervalMs = INTERVAL_MS,
): Promise<void> {
  const inPlace = screen.live && !json;
  const show = (text: string) => screen.write(inPlace ? CLEAR + text : text);
  try {
    show(await once(stop));
    for (;;) {
      await delay(intervalMs, undefined, { signal: stop });
      await once(stop).then(show, (error: unknown) => {
        if (stop.aborted) return;
        const message = error instanceof Error ? error.message : String(error);
        if (inPlace) show(`${screen.paint('bad', message)}\n`);
        else screen.complain(`nodemesh: ${message}\n`);
      });
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}
