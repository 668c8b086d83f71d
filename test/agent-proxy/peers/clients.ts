/** Clients of other people: curl, undici and `node:http`, asked in the same words. */
import { spawn } from 'node:child_process';
import { Agent, request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** The body goes without a length. */
  readonly chunked?: boolean;
}

export interface Answered {
  readonly status: number;
  readonly body: Buffer;
  readonly header: (name: string) => string | undefined;
}

export interface Client {
  readonly name: string;
  ask(url: string, asked: Asked): Promise<Answered>;
}

const HOST = 'web.example';

function askNode(url: string, { method, path, headers, body, chunked }: Asked): Promise<Answered> {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  return new Promise((resolve, reject) => {
    const length = body === undefined || chunked === true ? {} : { 'content-length': String(body.length) };
    const request = httpRequest(new URL(path, url), { agent, method, headers: { host: HOST, ...length, ...headers } });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const header = (name: string): string | undefined => response.headers[name]?.toString();
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks), header });
      });
    });
    if (chunked === true) request.flushHeaders();
    request.end(body);
  });
}

async function askUndici(url: string, { method, path, headers, body, chunked }: Asked): Promise<Answered> {
  const pool = new Pool(url, { connections: 2 });
  onTestFinished(() => pool.destroy());
  const sent = body === undefined ? null : chunked === true ? Readable.from(inPieces(body)) : body;
  const answer = await pool.request({
    method: method as Dispatcher.HttpMethod,
    path,
    headers: { host: HOST, ...headers },
    body: sent,
  });
  return {
    status: answer.statusCode,
    body: Buffer.from(await answer.body.arrayBuffer()),
    header: (name) => answer.headers[name]?.toString(),
  };
}

async function* inPieces(body: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += 50_000) yield body.subarray(at, at + 50_000);
}

/** curl, with these words more. It tells the head of the last answer on its standard error, as JSON. */
export function curl(words: readonly string[], input?: Buffer): Promise<Answered> {
  const told = '%{stderr}{"status":%{http_code},"headers":%{header_json}}';
  return new Promise((resolve, reject) => {
    const child = spawn('curl', ['--silent', '--show-error', '--max-time', '15', '--write-out', told, ...words]);
    const chunks: Buffer[] = [];
    let aside = '';
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      aside += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0) {
        reject(new Error(`curl ended with ${code}: ${aside}`));
        return;
      }
      const head = JSON.parse(aside) as { status: number; headers: Readonly<Record<string, readonly string[]>> };
      resolve({ status: head.status, body: Buffer.concat(chunks), header: (name) => head.headers[name]?.[0] });
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

async function askCurl(url: string, { method, path, headers, body, chunked }: Asked): Promise<Answered> {
  const lines = Object.entries({ host: HOST, ...headers }).flatMap(([name, value]) => [
    '--header',
    `${name}: ${value}`,
  ]);
  const how = method === 'HEAD' ? ['--head', '--output', '/dev/null'] : ['--request', method];
  const coding = chunked === true ? ['--header', 'Transfer-Encoding: chunked'] : [];
  const data = body === undefined ? [] : ['--data-binary', '@-'];
  return curl([...how, ...lines, ...coding, ...data, new URL(path, url).href], body);
}

export const CLIENTS: readonly Client[] = [
  { name: 'node:http', ask: askNode },
  { name: 'undici', ask: askUndici },
  { name: 'curl', ask: askCurl },
];
