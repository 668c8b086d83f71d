/** What a client should do instead, guessed from the mistake that it made. */
import { isIP } from 'node:net';

/**
 * Where a name that nobody has is the address of the proxy itself, the request was sent without the name of a service
 * (`curl http://127.0.1.1:4140/`): an address as the Host, with the port that it came in by. Null for any other name.
 */
export function hintForHost(host: string, localPort: number | null): string | null {
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(host) ?? [];
  if (port === undefined || Number(port) !== localPort) return null;
  const isAddress = isIP(name.replace(/^\[|\]$/g, '')) !== 0 || name.toLowerCase() === 'localhost';
  return isAddress ? "send the service's name in the Host header (curl -H 'Host: web')" : null;
}
