/** A call to another service by its name: to the proxy on this node, with the name as Host. */
import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';

const MAX_BODY_BYTES = 64 * 1024;

/** Context that a service passes on to those that it calls, so that one request can be followed through all of them. */
const PASSED_ON = /^(l5d-ctx-.*|l5d-dtab|dtab-local|b3|x-b3-.*|traceparent|tracestate|x-request-id)$/;

export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

export function contextOf(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([name, value]) => value !== undefined && PASSED_ON.test(name)),
  );
}

/** Why the proxy refused, as text for people; null where it did not say. The header is percent-encoded. */
export function refusalOf(headers: IncomingHttpHeaders): string | null {
  const value = headers['l5d-err'];
  if (value === undefined) return null;
  let text = String(value);
  try {
    text = decodeURIComponent(text);
  } catch {
    // Not encoded, or not by a proxy of ours: shown as it came.
  }
  // Decoded, it may hold anything; it goes into one line.
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}

class IdleConnectionLost extends Error {}

export class NamedCalls {
  readonly #proxy: { readonly host: string; readonly port: number };
  readonly #timeoutMs: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 16 });

  constructor(proxy: { readonly host: string; readonly port: number }, timeoutMs: number) {
    this.#proxy = proxy;
    this.#timeoutMs = timeoutMs;
  }

  /** Rejects with one sentence when there is no answer in time. */
  async call(name: string, path: string, context: OutgoingHttpHeaders): Promise<Reply> {
    const { host, port } = this.#proxy;
    try {
      return await this.#once(name, path, context).catch((error: unknown) => {
        // A connection that the other side closed while it lay idle: the request never counted (RFC 9112, 9.3.1).
        if (error instanceof IdleConnectionLost) return this.#once(name, path, context);
        throw error;
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`calling ${name} through ${host}:${port} failed: ${why}`);
    }
  }

  #once(name: string, path: string, context: OutgoingHttpHeaders): Promise<Reply> {
    const { host, port } = this.#proxy;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { host, port, path, agent: this.#agent, headers: { ...context, host: name } },
        (incoming) => {
          const chunks: Buffer[] = [];
          let size = 0;
          incoming.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size > MAX_BODY_BYTES) outgoing.destroy(new Error(`the answer is larger than ${MAX_BODY_BYTES} bytes`));
            else chunks.push(chunk);
          });
          incoming.on('error', fail);
          incoming.on('end', () => {
            clearTimeout(timer);
            resolve({
              status: incoming.statusCode ?? 0,
              text: Buffer.concat(chunks).toString('utf8'),
              headers: incoming.headers,
            });
          });
        },
      );
      const timer = setTimeout(
        () => outgoing.destroy(new Error(`no answer within ${this.#timeoutMs} ms`)),
        this.#timeoutMs,
      );
      const fail = (error: Error) => {
        clearTimeout(timer);
        const idle =
          outgoing.reusedSocket && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        reject(idle ? new IdleConnectionLost(error.message) : error);
      };
      outgoing.on('error', fail);
      outgoing.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
