/** A scripted Marathon: apps, an event stream, and answers that tests put in the way. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeTask {
  id: string;
  host?: string;
  port?: number;
  slaveId?: string;
  state?: string;
  alive?: boolean | null;
}

type Script = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export class FakeMarathon {
  readonly apps = new Map<string, object>();
  /** Statuses by name; null where this Marathon has no pods. */
  pods: Map<string, object> | null = new Map();
  /** What else is there to be asked for, by path. */
  readonly documents = new Map<string, object>();
  readonly requests: string[] = [];
  /** Answers the next requests whose path begins with the key, once each. */
  readonly scripts = new Map<string, Script[]>();
  attachedEvent = true;
  #server: Server;
  #port = 0;
  readonly #streams = new Set<ServerResponse>();

  private constructor() {
    this.#server = createServer();
  }

  static async start(): Promise<FakeMarathon> {
    const marathon = new FakeMarathon();
    await marathon.up();
    return marathon;
  }

  /** Listens, on the port that it had. */
  async up(): Promise<void> {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Goes away with all its connections. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get streams(): number {
    return this.#streams.size;
  }

  put(name: string, tasks: FakeTask[], rest: object = {}): void {
    const checked = tasks.some((task) => task.alive !== undefined);
    this.apps.set(name, {
      id: `/${name}`,
      networks: [{ mode: 'host' }],
      portDefinitions: [{ name: 'http' }],
      healthChecks: checked ? [{ protocol: 'HTTP' }] : [],
      tasks: tasks.map((task, index) => ({
        id: task.id,
        slaveId: task.slaveId ?? 'S1',
        host: task.host ?? '127.0.36.1',
        ports: [task.port ?? 21_000 + index],
        state: task.state ?? 'TASK_RUNNING',
        ...(typeof task.alive === 'boolean' ? { healthCheckResults: [{ alive: task.alive }] } : {}),
      })),
      ...rest,
    });
  }

  script(path: string, ...answers: Script[]): void {
    this.scripts.set(path, [...(this.scripts.get(path) ?? []), ...answers]);
  }

  /** Writes an event to every stream. */
  emit(type: string, body: object): void {
    this.raw(`event: ${type}\r\ndata: ${JSON.stringify({ eventType: type, ...body })}\r\n\r\n`);
  }

  raw(bytes: string | Buffer): void {
    for (const stream of this.#streams) stream.write(bytes);
  }

  dropStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  /** How many requests so far had a path that begins so. */
  asked(path: string): number {
    return this.requests.filter((each) => each.startsWith(path)).length;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    this.requests.push(request.url ?? '/');
    for (const [path, scripts] of this.scripts) {
      if (!(request.url ?? '').startsWith(path)) continue;
      const script = scripts.shift();
      if (script !== undefined) return script(request, response);
    }
    if (url.pathname === '/v2/events') return this.#stream(response);
    const json = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (url.pathname === '/v2/apps') return json(200, { apps: [...this.apps.values()] });
    const document = this.documents.get(decodeURIComponent(url.pathname));
    if (document !== undefined) return json(200, document);
    const isPods = url.pathname.startsWith('/v2/pods/');
    if (isPods && url.pathname === '/v2/pods/::status' && this.pods !== null) return json(200, [...this.pods.values()]);
    if (isPods) {
      const pod = this.pods?.get(decodeURIComponent(url.pathname.replace('/v2/pods/', '').replace('::status', '')));
      return json(pod === undefined ? 404 : 200, pod ?? { message: 'Pod does not exist' });
    }
    const name = decodeURIComponent(url.pathname.replace('/v2/apps/', ''));
    const app = this.apps.get(name);
    json(app === undefined ? 404 : 200, app === undefined ? { message: `App '/${name}' does not exist` } : { app });
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream;charset=UTF-8' });
    response.flushHeaders();
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    if (this.attachedEvent) this.emit('event_stream_attached', { remoteAddress: '127.0.0.1' });
  }
}
