/** Posts JSON to a collector over a connection that is kept. */
import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

const TIMEOUT_MS = 5_000;

export interface Collector {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

export class CollectorClient {
  private readonly collector: Collector;
  private readonly agent: HttpAgent;

  constructor(collector: Collector) {
    this.collector = collector;
    const options = { keepAlive: true, maxSockets: 1 };
    this.agent = collector.tls ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** `done` is called once: with null where the collector took it, otherwise with one line that says what went wrong. */
  post(json: string, done: (failure: string | null) => void): void {
    const { tls, host, port, path } = this.collector;
    const failed = (what: string): void =>
      done(`spans to ${host}:${port}${path}: ${what}; they are dropped, check the collector`);
    const body = Buffer.from(json);
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const options: RequestOptions = {
      host,
      port,
      path,
      method: 'POST',
      agent: this.agent,
      headers,
      timeout: TIMEOUT_MS,
    };
    const request = tls ? httpsRequest(options) : httpRequest(options);
    let isOver = false;
    const end = (failure: string | null): void => {
      if (isOver) return;
      isOver = true;
      if (failure === null) done(null);
      else failed(failure);
    };
    request.on('response', (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      response.on('error', (error) => end(error.message));
      response.on('close', () => end(statusCode < 300 ? null : `answered ${statusCode}`));
    });
    request.on('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
    request.on('error', (error) => end(error.message));
    request.end(body);
  }

  close(): void {
    this.agent.destroy();
  }
}
