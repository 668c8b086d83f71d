/**
 * The two requests that a proxy makes of its scheduler: an endless stream of frames, and reports. Thin: bytes in and
 * out, no decisions.
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Report, Subscribe } from './contract.ts';
import { CONTROL_REPORT_PATH, CONTROL_SUBSCRIBE_PATH } from './wire-words.ts';

/** A scheduler that does not answer in this time is not there; the list of them has to be walked within 5 s. */
const CONNECT_TIMEOUT_MS = 1_000;
const ANSWER_TIMEOUT_MS = 2_000;

/** How a request ended: with a status, or with nothing. */
export type Answer =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'failed'; readonly detail: string };

export interface StreamListener {
  /** 200: what follows is the stream. */
  opened(stream: IncomingMessage): void;
  refused(answer: Answer): void;
}

/** Ends a request that was not answered yet; the listener hears nothing further. */
export type Cancel = () => void;

export class SchedulerClient {
  private readonly clusterKey: string | null;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 2, maxFreeSockets: 1, timeout: 30_000 });

  constructor(clusterKey: string | null) {
    this.clusterKey = clusterKey;
  }

  subscribe(baseUrl: string, body: Subscribe, listener: StreamListener): Cancel {
    let over = false;
    const refuse = (answer: Answer): void => {
      if (over) return;
      over = true;
      listener.refused(answer);
    };
    // A connection of its own: it is never given back.
    const outgoing = this.post(
      `${baseUrl}${CONTROL_SUBSCRIBE_PATH}`,
      body,
      false,
      (response) => {
        if (over) return;
        if (response.statusCode !== 200) {
          response.resume();
          refuse({ kind: 'status', status: response.statusCode ?? 0 });
          return;
        }
        over = true;
        listener.opened(response);
      },
      (detail) => refuse({ kind: 'failed', detail }),
    );
    return () => {
      // Once it has opened, the stream belongs to whoever reads it.
      if (over) return;
      over = true;
      outgoing?.destroy();
    };
  }

  report(baseUrl: string, body: Report, done: (answer: Answer) => void): void {
    let over = false;
    const finish = (answer: Answer): void => {
      if (over) return;
      over = true;
      done(answer);
    };
    this.post(
      `${baseUrl}${CONTROL_REPORT_PATH}`,
      body,
      true,
      (response) => {
        response.on('error', () => undefined).resume();
        finish({ kind: 'status', status: response.statusCode ?? 0 });
      },
      (detail) => finish({ kind: 'failed', detail }),
    );
  }

  close(): void {
    this.agent.destroy();
  }

  private post(
    url: string,
    body: unknown,
    reuse: boolean,
    onResponse: (response: IncomingMessage) => void,
    onFailure: (detail: string) => void,
  ): ClientRequest | null {
    const text = JSON.stringify(body);
    const headers: Record<string, string | number> = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    };
    if (this.clusterKey !== null) headers['authorization'] = `Bearer ${this.clusterKey}`;
    let outgoing: ClientRequest;
    try {
      outgoing = request(url, { method: 'POST', headers, agent: reuse ? this.agent : false });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      queueMicrotask(() => onFailure(detail));
      return null;
    }
    let timer = setTimeout(() => outgoing.destroy(new Error('no connection in time')), CONNECT_TIMEOUT_MS);
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => outgoing.destroy(new Error('no answer in time')), ANSWER_TIMEOUT_MS);
    };
    outgoing.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', wait);
      else wait();
    });
    outgoing.on('response', (response) => {
      clearTimeout(timer);
      onResponse(response);
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      onFailure(error.code ?? error.message);
    });
    outgoing.on('close', () => clearTimeout(timer));
    outgoing.end(text);
    return outgoing;
  }
}
