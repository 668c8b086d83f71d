/** The lines of io.l5d.fs: `host port [* weight]`, with comments from `#` to the end of a line. */
import type { Endpoint } from '../control/contract.ts';
import { plainEndpoint } from './plain-endpoint.ts';

export interface AddressLines {
  /** The `address` of each may be a host name. */
  readonly endpoints: readonly Endpoint[];
  /** Lines that are left out, and why: one sentence each. */
  readonly faults: readonly string[];
}

const LINE = /^(\S+)\s+(\d{1,5})(?:\s*\*\s*(\d+\.?\d*|\.\d+))?$/;

export function parseAddressLines(text: string, service: string): AddressLines {
  const endpoints = new Map<string, Endpoint>();
  const faults: string[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    const content = line.replace(/#.*$/, '').trim();
    if (content === '') return;
    const [, host, digits, weight = '1'] = LINE.exec(content) ?? [];
    const port = Number(digits);
    if (host === undefined || !(port >= 1 && port <= 65_535)) {
      faults.push(`line ${index + 1}: '${content.slice(0, 80)}' is not 'host port [* weight]'`);
      return;
    }
    // Weight 0 is a way to take an address out of use.
    if (Number(weight) === 0) return;
    const endpoint = plainEndpoint(service, host, port, Number(weight));
    endpoints.set(endpoint.instance, endpoint);
  });
  return { endpoints: [...endpoints.values()], faults };
}
