/**
 * `GET /v1/events`: how the mesh is, as server-sent events (HTML, section 9.2). One event at the beginning and one for each
 * change; looked at while somebody listens. A reader that does not read is cut off.
 */
import { type Request, type Response, Router } from 'express';
import type { ControlPlane } from '../control-plane.ts';
import { ApiError } from './errors.ts';
import { statusesOf } from './health.ts';

const LOOK_MS = 1_000;
/** In so many looks something is written, so that nobody in between takes the connection for dead. */
const QUIET_LOOKS = 15;
const MAX_STREAMS = 200;
/** What may wait for a slow reader, bytes. */
const MAX_BEHIND = 256 * 1024;

export function eventsRouter(plane: () => ControlPlane | null): Router {
  const streams = new EventStreams(plane);
  const router = Router();
  router.get('/v1/events', (request, response) => streams.begin(request, response));
  return router;
}

class EventStreams {
  readonly #plane: () => ControlPlane | null;
  readonly #open = new Set<Response>();
  #ticker: NodeJS.Timeout | undefined;
  #last = '';
  #quiet = 0;

  constructor(plane: () => ControlPlane | null) {
    this.#plane = plane;
  }

  begin(request: Request, response: Response): void {
    if (this.#open.size >= MAX_STREAMS) {
      throw new ApiError(503, `${MAX_STREAMS} listen already; try again later, or ask /v1/health now and then`);
    }
    request.socket.setNoDelay(true);
    response.status(200).set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    if (this.#open.size === 0) this.#last = meshEvent(this.#plane());
    this.#open.add(response);
    response.once('close', () => this.#gone(response));
    response.write(this.#last);
    this.#ticker ??= setInterval(() => this.#look(), LOOK_MS);
  }

  #gone(response: Response): void {
    this.#open.delete(response);
    if (this.#open.size > 0) return;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  #look(): void {
    const now = meshEvent(this.#plane());
    this.#quiet = now === this.#last ? this.#quiet + 1 : 0;
    if (now !== this.#last) this.#write(now);
    else if (this.#quiet % QUIET_LOOKS === 0) this.#write(': still here\n\n');
    this.#last = now;
  }

  #write(text: string): void {
    for (const response of this.#open) {
      if (response.writableLength > MAX_BEHIND) response.destroy();
      else response.write(text);
    }
  }
}

function meshEvent(plane: ControlPlane | null): string {
  const states: Record<string, number> = {};
  for (const { status } of plane?.nodes() ?? []) states[status.state] = (states[status.state] ?? 0) + 1;
  const data = {
    leading: plane !== null,
    subscribed: plane?.framework.subscribed() ?? false,
    frozen: plane?.framework.frozen ?? false,
    epoch: plane?.epoch ?? null,
    nodes: states,
    plans: plane === null ? {} : statusesOf(plane),
  };
  return `event: mesh\ndata: ${JSON.stringify(data)}\n\n`;
}
