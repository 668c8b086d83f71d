/**
 * `GET /v2/events`: the bus as server-sent events. There is no replay, so a reader that cannot keep up is cut off: it
 * will connect again and read everything anew, which is better than a gap that it does not know of.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EventBus, StampedEvent } from './events.ts';
import type { Timers } from './timers.ts';

/** Marathon's `event_stream_max_outstanding_messages`. */
const MAX_OUTSTANDING = 1024;
const MAX_OUTSTANDING_BYTES = 8 * 1024 * 1024;
/** Jetty's heartbeat: an empty line. */
const KEEP_ALIVE_MS = 10_000;
const MAX_STREAMS = 256;

export class EventStreams {
  readonly #bus: EventBus;
  readonly #timers: Timers;
  readonly #open = new Set<ServerResponse>();

  constructor(bus: EventBus, timers: Timers) {
    this.#bus = bus;
    this.#timers = timers;
  }

  get count(): number {
    return this.#open.size;
  }

  /** True when the stream was opened; false when there are too many already. */
  attach(request: IncomingMessage, response: ServerResponse, types: readonly string[]): boolean {
    if (this.#open.size >= MAX_STREAMS) return false;
    response.writeHead(200, {
      'content-type': 'text/event-stream;charset=utf-8',
      'cache-control': 'no-cache, no-store, must-revalidate',
      connection: 'keep-alive',
    });
    // A reader whose filter lets nothing through for a while still learns that it is connected.
    response.flushHeaders();
    request.socket.setNoDelay(true);
    this.#open.add(response);

    let outstanding = 0;
    const send = (text: string) => {
      if (response.destroyed) return;
      if (response.write(text)) return;
      outstanding += 1;
      if (outstanding > MAX_OUTSTANDING || response.writableLength > MAX_OUTSTANDING_BYTES) response.destroy();
    };
    response.on('drain', () => {
      outstanding = 0;
    });
    const wanted = (event: StampedEvent) => types.length === 0 || types.includes(event.eventType);
    const unsubscribe = this.#bus.subscribe((event) => {
      if (wanted(event)) send(`event: ${event.eventType}\r\ndata: ${JSON.stringify(event)}\r\n\r\n`);
    });
    let keepAlive = this.#timers.setTimeout(beat, KEEP_ALIVE_MS);
    const timers = this.#timers;
    function beat(): void {
      send('\r\n');
      keepAlive = timers.setTimeout(beat, KEEP_ALIVE_MS);
    }
    const remoteAddress = request.socket.remoteAddress ?? '';
    response.on('error', () => {
      // The reader went away; `close` follows and cleans up.
    });
    response.on('close', () => {
      unsubscribe();
      timers.clearTimeout(keepAlive);
      this.#open.delete(response);
      this.#bus.publish({ eventType: 'event_stream_detached', remoteAddress });
    });
    this.#bus.publish({ eventType: 'event_stream_attached', remoteAddress });
    return true;
  }

  /** End all streams, as a leader does that steps down. */
  close(): void {
    for (const response of this.#open) response.destroy();
  }
}
