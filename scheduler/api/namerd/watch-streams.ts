/**
 * Answers that go on: one line for each value, as namerd writes them for `?watch=true`. A value that equals the one before is
 * left out. A reader that does not read is cut off, and there is a limit to how many there are.
 */
import type { Request, Response } from 'express';
import type { Activity } from '../../../agent-proxy/routing/activity.ts';
import { ApiError } from '../errors.ts';

const MAX_STREAMS = 1_000;
/** What may wait for a slow reader, bytes. */
const MAX_BEHIND = 1024 * 1024;

export class WatchStreams {
  #open = 0;

  /** Writes the values of `lines` until the client goes. A failure before any value is written as its text, and ends it. */
  begin(request: Request, response: Response, lines: Activity<string>, contentType: string): void {
    if (this.#open >= MAX_STREAMS) {
      throw new ApiError(503, `there are ${MAX_STREAMS} watches already; try again later, or ask without watch`);
    }
    this.#open += 1;
    request.socket.setNoDelay(true);
    request.socket.setKeepAlive(true, 5_000);
    response.status(200).setHeader('content-type', contentType);
    response.flushHeaders();
    let last: string | null = null;
    let isDue = false;
    const tell = (): void => {
      isDue = false;
      const { state } = lines;
      if (response.destroyed || response.writableEnded) return;
      if (state.kind === 'pending') return;
      if (state.kind === 'failed') {
        stop();
        response.end(`${state.reason}\n`);
        return;
      }
      if (state.value === last) return;
      last = state.value;
      if (response.writableLength > MAX_BEHIND) response.destroy();
      else response.write(`${state.value}\n`);
    };
    // One change of the table is told to addresses and names one after the other: what is in between is nobody's business.
    const stop = lines.observe(() => {
      if (!isDue) queueMicrotask(tell);
      isDue = true;
    });
    response.once('close', () => {
      this.#open -= 1;
      stop();
    });
    tell();
  }
}
