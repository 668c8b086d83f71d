/** An endless answer of RecordIO: `<bytes of the record>\n<record>`, one HTTP chunk each. */
import type { ServerResponse } from 'node:http';
import { plainHead } from './http-io.ts';

/** A reader that is this far behind is cut off: its events must not pile up here. */
export const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;

export class RecordStream {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse, headers: Record<string, string>) {
    this.#response = response;
    plainHead(response);
    response.writeHead(200, { ...headers, 'Content-Type': 'application/json' });
    response.flushHeaders();
  }

  write(record: object): void {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    const json = Buffer.from(JSON.stringify(record));
    this.#response.write(Buffer.concat([Buffer.from(`${json.length}\n`), json]));
    if (this.#response.writableLength > MAX_BACKLOG_BYTES) this.#response.destroy();
  }

  end(): void {
    this.#response.end();
  }
}
