/**
 * What linkerd's interpreter io.l5d.namerd.http does with namerd, as a client for tests: it watches the dtab of a namespace,
 * what a name is bound to, and the addresses of each bound name, each by a chunked answer of one JSON document a line; it
 * keeps the last good value, and asks again when a stream ends.
 */
import { get, type IncomingMessage } from 'node:http';
import { eventually } from '../../fixtures/eventually.ts';

/** One stream of lines. */
export class Watch {
  readonly lines: string[] = [];
  status = 0;
  headers: IncomingMessage['headers'] = {};
  ended = false;
  readonly #request;
  #rest = '';

  constructor(url: string, headers: Record<string, string> = {}) {
    this.#request = get(url, { headers, agent: false }, (response) => {
      this.status = response.statusCode ?? 0;
      this.headers = response.headers;
      response.setEncoding('utf8').on('data', (text: string) => {
        const lines = (this.#rest + text).split('\n');
        this.#rest = lines.pop() ?? '';
        this.lines.push(...lines);
      });
      response.on('error', () => undefined);
      response.on('close', () => {
        this.ended = true;
      });
    });
    this.#request.on('error', () => {
      this.ended = true;
    });
  }

  get documents(): unknown[] {
    return this.lines.map((line): unknown => JSON.parse(line));
  }

  /** Waits for the head of the answer. */
  async answered(): Promise<number> {
    await eventually('the head of a watch', () => this.status !== 0);
    return this.status;
  }

  /** Waits until there are so many lines, and returns the last of them. */
  async line(count: number): Promise<unknown> {
    await eventually(`line ${count} of a watch (${this.lines.join(' | ')})`, () => this.lines.length >= count);
    return JSON.parse(this.lines[count - 1] ?? 'null');
  }

  close(): void {
    this.#request.destroy();
  }
}

export class NamerdInterpreter {
  readonly #base: string;
  readonly #namespace: string;
  readonly #watches = new Map<string, { watch: Watch; url: string; last: string | null }>();
  readonly #timer: NodeJS.Timeout;

  constructor(base: string, namespace: string) {
    this.#base = base;
    this.#namespace = namespace;
    this.#timer = setInterval(() => this.#follow(), 5);
  }

  /** What a name is bound to, as far as is known. */
  bound(path: string, dtab = ''): { type: string } | null {
    const query = new URLSearchParams({ path, dtab, watch: 'true' });
    return this.#value(`${this.#base}/api/1/bind/${this.#namespace}?${query}`) as { type: string } | null;
  }

  /** `ip:port` of a bound name. */
  addresses(id: string): string[] | null {
    const query = new URLSearchParams({ path: id, watch: 'true' });
    const addr = this.#value(`${this.#base}/api/1/addr/${this.#namespace}?${query}`) as {
      type: string;
      addrs?: { ip: string; port: number }[];
    } | null;
    return addr === null ? null : (addr.addrs ?? []).map(({ ip, port }) => `${ip}:${port}`);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { watch } of this.#watches.values()) watch.close();
  }

  #value(url: string): unknown {
    const known = this.#watches.get(url);
    if (known === undefined) this.#watches.set(url, { watch: new Watch(url), url, last: null });
    else this.#keep(known);
    return JSON.parse(this.#watches.get(url)?.last ?? 'null');
  }

  #keep(entry: { watch: Watch; last: string | null }): void {
    if (entry.watch.status === 200) entry.last = entry.watch.lines.at(-1) ?? entry.last;
  }

  #follow(): void {
    for (const entry of this.#watches.values()) {
      this.#keep(entry);
      if (entry.watch.ended) entry.watch = new Watch(entry.url);
    }
  }
}
