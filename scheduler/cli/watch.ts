/** Prints a report again and again until it is told to stop: on a terminal in place, elsewhere one after the other. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Screen } from './screen.ts';

const INTERVAL_MS = 2_000;

// Control sequences as xterm documents them (invisible-island.net/xterm/ctlseqs): the alternate screen leaves alone what
// stands on the usual one, and gives it back in the end.
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_REST_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/**
 * The first report must succeed; a later failure is shown in its place, and the watch goes on: a scheduler that restarts
 * is just what one wants to watch. Resolves when `stop` is aborted; a terminal then looks as it did before.
 */
export async function watch(
  once: (stop: AbortSignal) => Promise<string>,
  screen: Screen,
  json: boolean,
  stop: AbortSignal,
  intervalMs = INTERVAL_MS,
): Promise<void> {
  const inPlace = screen.live && !json;
  const show = (text: string) => screen.write(inPlace ? frame(text, screen.height) : text);
  let entered = false;
  try {
    const first = await once(stop);
    if (inPlace) {
      entered = true;
      screen.write(ENTER);
    }
    show(first);
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
  } finally {
    if (entered) screen.write(LEAVE);
  }
}

/** A report over the one before it, line by line so that nothing flickers; its end is left out where the screen ends. */
function frame(text: string, height: number | null): string {
  const lines = text.trimEnd().split('\n');
  const shown = height === null || lines.length <= height ? lines : lines.slice(0, Math.max(height - 1, 1));
  const left = lines.length - shown.length;
  if (left > 0) shown.push(`… ${left} more lines: all are printed without --watch`);
  // Cleared before it is written: after a line as wide as the screen, the cursor still stands on its last character.
  const last = shown.length - 1;
  return HOME + shown.map((line, at) => (at === last ? CLEAR_BELOW : CLEAR_REST_OF_LINE) + line).join('\n');
}
