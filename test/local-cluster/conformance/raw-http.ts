/** Sends bytes to a server as they are and reads what comes back, as it is. */
import { connect, type Socket } from 'node:net';

export interface RawExchange {
  readonly text: string;
  readonly closed: boolean;
  readonly socket: Socket;
}

/** Reads until `enough` or until the server hangs up; fails after five seconds. The caller destroys the socket. */
export function exchange(port: number, bytes: string, enough: (text: string) => boolean): Promise<RawExchange> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')));
    let text = '';
    const deadline = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no complete answer within 5 s, only: ${text}`));
    }, 5000);
    const done = (closed: boolean): void => {
      clearTimeout(deadline);
      resolve({ text, closed, socket });
    };
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (enough(text)) done(false);
    });
    socket.on('close', () => done(true));
    socket.on('error', () => done(true));
  });
}

/** Whether `count` answers with a Content-Length are there in full. */
export function answers(count: number): (text: string) => boolean {
  return (text) => {
    let rest = text;
    for (let index = 0; index < count; index += 1) {
      const head = /^[\s\S]*?\r\n\r\n/.exec(rest)?.[0];
      const length = /content-length: (\d+)/i.exec(head ?? '')?.[1];
      if (head === undefined || length === undefined || rest.length < head.length + Number(length)) return false;
      rest = rest.slice(head.length + Number(length));
    }
    return true;
  };
}

/** Whether the chunked answer has begun and `pattern` is in it. */
export function streamed(pattern: RegExp): (text: string) => boolean {
  return (text) => pattern.test(text);
}

/** A request with its Content-Length as its body has become. */
export function fitted(request: string): string {
  const length = Buffer.byteLength(request.slice(request.indexOf('\r\n\r\n') + 4), 'latin1');
  return request.replace(/Content-Length: \d+/, `Content-Length: ${length}`);
}
