/** Reads the recordings of a real master: one directory per case, what was sent and what came back. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EventWire } from '../../../framework/mesos-http-client/messages.ts';

const ROOT = resolve(import.meta.dirname, '../../../../shared/recordings');

/** False where this repository was cloned alone: the recordings are not part of it. */
export const haveRecordings = existsSync(join(ROOT, 'README.md'));

export interface RecordedEvent {
  readonly t_ms: number;
  readonly event: EventWire;
}

export interface RecordedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function recordedCases(): string[] {
  const entries = readdirSync(ROOT, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** The numbered names of a case's exchanges: `02-accept`. */
export function exchanges(name: string): string[] {
  const files = readdirSync(join(ROOT, name)).filter((file) => file.endsWith('.request'));
  return files.map((file) => file.slice(0, -'.request'.length)).sort();
}

/** Its full name, number included; without a number the only exchange that is called so. */
export function exchangeOf(name: string, wanted: string): string {
  const found = exchanges(name).filter((exchange) => exchange === wanted || exchange.replace(/^\d+-/, '') === wanted);
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${name} has ${found.length} exchanges called ${wanted}`);
  return only;
}

export function recordedStream(name: string, exchange: string): RecordedEvent[] {
  const lines = readFileSync(join(ROOT, name, `${exchangeOf(name, exchange)}.events.jsonl`), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as RecordedEvent);
}

export function hasStream(name: string, exchange: string): boolean {
  return existsSync(join(ROOT, name, `${exchange}.events.jsonl`));
}

/** The exact bytes that were sent. */
export function rawRequest(name: string, exchange: string): string {
  return readFileSync(join(ROOT, name, `${exchangeOf(name, exchange)}.request`), 'latin1');
}

export function requestBody(name: string, exchange: string): unknown {
  const raw = rawRequest(name, exchange);
  return JSON.parse(raw.slice(raw.indexOf('{')));
}

export function recordedResponse(name: string, exchange: string): RecordedResponse {
  return parseResponse(readFileSync(join(ROOT, name, `${exchangeOf(name, exchange)}.response`), 'latin1'));
}

export function parseResponse(raw: string): RecordedResponse {
  const end = raw.search(/\r?\n\r?\n/);
  const head = (end < 0 ? raw : raw.slice(0, end)).split(/\r?\n/);
  const body = end < 0 ? '' : raw.slice(end).replace(/^\r?\n\r?\n/, '');
  const headers = head.slice(1).map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(head[0]?.split(' ')[1]), headers: Object.fromEntries(headers), body };
}
