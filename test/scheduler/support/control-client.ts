/** The proxy's end of a control stream, as plain as can be: subscribes, collects frames, reports. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type Frame, frameSchema, type Report, type Subscribe } from '../../../agent-proxy/control/contract.ts';
import { frameText } from '../../../agent-proxy/control/frame-text.ts';
import { type Applied, ServiceTable } from '../../../agent-proxy/routing/service-table.ts';

/** Cuts RecordIO, and checks each record against the contract. */
export class RecordReader {
  readonly frames: Frame[] = [];
  readonly sizes: number[] = [];
  #rest = Buffer.alloc(0);

  feed(chunk: Buffer): Frame[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const read: Frame[] = [];
    for (;;) {
      const newline = this.#rest.indexOf(0x0a);
      if (newline < 0) break;
      const length = Number(this.#rest.toString('latin1', 0, newline));
      if (this.#rest.length < newline + 1 + length) break;
      const record = this.#rest.subarray(newline + 1, newline + 1 + length);
      read.push(frameSchema.parse(JSON.parse(frameText(record))));
      this.sizes.push(newline + 1 + length);
      this.#rest = this.#rest.subarray(newline + 1 + length);
    }
    this.frames.push(...read);
    return read;
  }
}

export class ControlClient {
  readonly table = new ServiceTable();
  readonly reader = new RecordReader();
  readonly applied: Applied[] = [];
  readonly subscribe: Subscribe;
  status: number | null = null;
  body = '';
  ended = false;
  readonly #base: string;
  readonly #request: ClientRequest;
  #response: IncomingMessage | null = null;

  constructor(
    base: string,
    subscribe: Partial<Subscribe> & { agentId: string; taskId: string },
    headers: Record<string, string> = {},
  ) {
    this.#base = base;
    this.subscribe = {
      nodeIp: '127.0.36.1',
      version: '0.1.0',
      epoch: 0,
      revision: 0,
      accepts: [],
      configRevision: 0,
      ports: { outgoing: 4140, incoming: 4141, admin: 9990 },
      ...subscribe,
    };
    const url = new URL(`${base}/control/v1/subscribe`);
    const text = JSON.stringify(this.subscribe);
    this.#request = request(url, {
      method: 'POST',
      agent: false,
      headers: { 'content-length': Buffer.byteLength(text), ...headers },
    });
    this.#request.on('response', (response) => {
      this.#response = response;
      this.status = response.statusCode ?? 0;
      response.on('data', (chunk: Buffer) => this.#data(chunk));
      response.on('close', () => {
        this.ended = true;
      });
    });
    this.#request.on('error', () => {
      this.ended = true;
    });
    this.#request.end(text);
  }

  get session(): string | undefined {
    const hello = this.reader.frames.find((frame) => frame.type === 'hello');
    return hello?.session;
  }

  frames<T extends Frame['type']>(type: T): Extract<Frame, { type: T }>[] {
    return this.reader.frames.filter((frame): frame is Extract<Frame, { type: T }> => frame.type === type);
  }

  pause(): void {
    this.#response?.pause();
  }

  /** The status of the answer. What is not given is as a proxy says it that is well. */
  async report(rest: Partial<Report> = {}): Promise<number> {
    const report: Report = {
      session: this.session ?? 'none',
      agentId: this.subscribe.agentId,
      taskId: this.subscribe.taskId,
      epoch: this.reader.frames[0]?.epoch ?? 0,
      revision: this.table.revision,
      configRevision: 1,
      digest: this.table.digest(),
      version: this.subscribe.version,
      ready: true,
      reason: null,
      windowMs: 1_000,
      traffic: [],
      instances: [],
      workerRestarts: 0,
      staleFrames: 0,
      ...rest,
    };
    const response = await fetch(`${this.#base}/control/v1/report`, { method: 'POST', body: JSON.stringify(report) });
    await response.arrayBuffer();
    return response.status;
  }

  close(): void {
    this.#request.destroy();
  }

  #data(chunk: Buffer): void {
    if (this.status !== 200) {
      this.body += chunk.toString();
      return;
    }
    for (const frame of this.reader.feed(chunk)) {
      switch (frame.type) {
        case 'hello':
        case 'config':
        case 'heartbeat':
        case 'upgrade':
          break;
        default:
          this.applied.push(this.table.apply(frame));
      }
    }
  }
}
