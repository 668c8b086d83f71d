/**
 * What parts of a configuration ask of each other: labels, addresses and log files are used once. Judged on the document as
 * far as it can be read, so that these faults are told together with all others.
 */
import { z } from 'zod';
import { isRecord } from './schema/keys.ts';
import { ip, label, port, text } from './schema/scalars.ts';

/** Ports of protocols that are refused do not matter; they count as none. */
const server = z.object({ ip: ip.default('127.0.0.1'), port: port.default(4140) }).catch({ ip: '127.0.0.1', port: 0 });
const router = z
  .object({
    protocol: z.literal('http'),
    label: label.default('http'),
    servers: z
      .array(server)
      .default([{ ip: '127.0.0.1', port: 4140 }])
      .catch([]),
    httpAccessLog: text.optional().catch(undefined),
    streamingEnabled: z.unknown().optional(),
    streamAfterContentLengthKB: z.unknown().optional(),
  })
  .nullable()
  .catch(null);
const outline = z.object({
  admin: z
    .object({ ip: ip.default('127.0.0.1'), port: port.default(9990) })
    .catch({ ip: '', port: 0 })
    .default({ ip: '127.0.0.1', port: 9990 }),
  routers: z.array(router).catch([]),
});

interface Listener {
  readonly place: string;
  readonly ip: string;
  readonly port: number;
}

export function conflictsOf(document: unknown): string[] {
  const result = outline.safeParse(isRecord(document) ? document : {});
  if (!result.success) return [];
  const faults: string[] = [];
  const listeners: Listener[] = [{ place: 'admin', ...result.data.admin }];
  const labels = new Map<string, string>();
  const logs = new Map<string, string>();
  for (const [index, one] of result.data.routers.entries()) {
    if (one === null) continue;
    const place = `routers[${index}]`;
    useOnce(labels, one.label, `${place}.label`, faults);
    if (one.httpAccessLog !== undefined) useOnce(logs, one.httpAccessLog, `${place}.httpAccessLog`, faults);
    if (one.streamingEnabled === false && one.streamAfterContentLengthKB !== undefined) {
      faults.push(`${place}.streamAfterContentLengthKB: is not possible together with streamingEnabled: false`);
    }
    for (const [at, { ip, port }] of one.servers.entries()) {
      const listener = { place: `${place}.servers[${at}]`, ip, port };
      const other = listeners.find((earlier) => overlap(earlier, listener));
      if (other !== undefined) {
        faults.push(`${listener.place}.port: ${address(listener)} is used by ${other.place} (${address(other)}) too`);
      }
      listeners.push(listener);
    }
  }
  return faults;
}

function useOnce(used: Map<string, string>, value: string, place: string, faults: string[]): void {
  const other = used.get(value);
  if (other === undefined) used.set(value, place);
  else faults.push(`${place}: '${value}' is used by ${other} too`);
}

function overlap(left: Listener, right: Listener): boolean {
  if (left.port !== right.port || left.port === 0) return false;
  return left.ip === right.ip || isWildcard(left.ip) || isWildcard(right.ip);
}

/** `::` takes IPv4 too, as Node.js listens on it. */
function isWildcard(ip: string): boolean {
  return ip === '0.0.0.0' || ip === '::';
}

function address({ ip, port }: Listener): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
