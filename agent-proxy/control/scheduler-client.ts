/**
 * The requests that a proxy makes of its scheduler: an enrolment where it has not enrolled yet, an endless stream of frames,
 * reports, and what it wants. Thin: bytes in and out.
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Enroll, Report, Subscribe, Want } from './contract.ts';
import { type Enrolment, sha256Of } from './enrolment.ts';
import {
  CONTROL_ENROLL_PATH,
  CONTROL_REPORT_PATH,
  CONTROL_SUBSCRIBE_PATH,
  CONTROL_WANT_PATH,
  TASK_HEADER,
} from './wire-words.ts';

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

/** Who the proxy is, and what it proves that with. */
export interface ClientIdentity {
  readonly agentId: string;
  readonly taskId: string;
  readonly clusterKey: string | null;
  readonly enrolment: Enrolment | null;
}

export class SchedulerClient {
  private readonly identity: ClientIdentity;
  /** As far as is known: what has enrolled may be forgotten, which a 401 says. */
  private isEnrolled = false;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 2, maxFreeSockets: 1, timeout: 30_000 });

  constructor(identity: ClientIdentity) {
    this.identity = identity;
  }

  /** Enrols first where that is due. */
  subscribe(baseUrl: string, body: Subscribe, listener: StreamListener): Cancel {
    const { enrolment } = this.identity;
    if (enrolment === null || this.isEnrolled) return this.open(baseUrl, body, listener);
    let cancel: Cancel = this.enrol(baseUrl, enrolment, (answer) => {
      this.isEnrolled = answer.kind === 'status' && answer.status === 204;
      if (this.isEnrolled) cancel = this.open(baseUrl, body, listener);
      else listener.refused(answer.kind === 'failed' ? answer : { kind: 'failed', detail: refusalOf(answer.status) });
    });
    return () => cancel();
  }

  /** A proxy whose answer was lost enrols again, with the same key. */
  private enrol(baseUrl: string, { token, key }: Enrolment, done: (answer: Answer) => void): Cancel {
    const { agentId, taskId } = this.identity;
    const body: Enroll = { agentId, taskId, token, keySha256: sha256Of(key) };
    let over = false;
    const finish = (answer: Answer): void => {
      if (over) return;
      over = true;
      done(answer);
    };
    const outgoing = this.post(
      `${baseUrl}${CONTROL_ENROLL_PATH}`,
      body,
      false,
      (response) => {
        response.on('error', () => undefined).resume();
        finish({ kind: 'status', status: response.statusCode ?? 0 });
      },
      (detail) => finish({ kind: 'failed', detail }),
    );
    return () => {
      if (over) return;
      over = true;
      outgoing?.destroy();
    };
  }

  private open(baseUrl: string, body: Subscribe, listener: StreamListener): Cancel {
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
          if (response.statusCode === 401) this.isEnrolled = false;
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
    this.ask(`${baseUrl}${CONTROL_REPORT_PATH}`, body, done);
  }

  want(baseUrl: string, body: Want, done: (answer: Answer) => void): void {
    this.ask(`${baseUrl}${CONTROL_WANT_PATH}`, body, done);
  }

  close(): void {
    this.agent.destroy();
  }

  private ask(url: string, body: unknown, done: (answer: Answer) => void): void {
    let over = false;
    const finish = (answer: Answer): void => {
      if (over) return;
      over = true;
      done(answer);
    };
    this.post(
      url,
      body,
      true,
      (response) => {
        response.on('error', () => undefined).resume();
        finish({ kind: 'status', status: response.statusCode ?? 0 });
      },
      (detail) => finish({ kind: 'failed', detail }),
    );
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
    const { taskId, clusterKey, enrolment } = this.identity;
    if (enrolment !== null) headers[TASK_HEADER] = taskId;
    const secret = enrolment?.key ?? clusterKey;
    // The token proves an enrolment, and the key would prove nothing yet.
    if (secret !== null && !url.endsWith(CONTROL_ENROLL_PATH)) headers['authorization'] = `Bearer ${secret}`;
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

function refusalOf(status: number): string {
  switch (status) {
    case 401:
      return 'it refuses the token of this task (status 401)';
    case 404:
      return 'it knows no such task (status 404)';
    case 409:
      return 'somebody has enrolled as this task with another key (status 409)';
    default:
      return `the enrolment got status ${status}`;
  }
}
