/** VIP labels on ports (`VIP_0: /web:80`): names under which DC/OS' layer 4 load balancer serves them, and we do too. */
import { isIP } from 'node:net';
import type { ServiceSettings } from '../../../agent-proxy/control/contract.ts';
import type { DefinedPort } from '../../../agent-proxy/routing/marathon-ports.ts';
import type { Notes } from './notes.ts';

export type Vip = ServiceSettings['vips'][number];

const VIP_LABEL = /^VIP_\d{1,4}$/;
const NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const MAX_NAME = 253;

export function readVips(labels: Readonly<Record<string, string>>, ports: readonly DefinedPort[], notes: Notes): Vip[] {
  for (const label of Object.keys(labels)) {
    if (VIP_LABEL.test(label)) notes.add(label, 'says nothing of an app: it belongs to the labels of a port');
  }
  const vips: Vip[] = [];
  for (const port of ports) {
    for (const [label, value] of Object.entries(port.labels)) {
      if (!VIP_LABEL.test(label)) continue;
      const vip = vipOf(value.trim());
      if (typeof vip === 'string') notes.add(label, `of port ${port.name}: ${vip}; the label is ignored`);
      else vips.push({ ...vip, port: port.name });
    }
  }
  return vips;
}

/** Or what is wrong with it. */
function vipOf(text: string): Pick<Vip, 'vip' | 'vipPort'> | string {
  // As dcos-net has it: the last colon parts the name from the port.
  const colon = text.lastIndexOf(':');
  const digits = colon === -1 ? '' : text.slice(colon + 1);
  const vipPort = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (vipPort < 1 || vipPort > 65_535) return `'${text}' has no port, as /web:80 has`;
  const written = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  if (isIP(written) !== 0) return `'${text}' is an address, and only names are served here, as /web:80`;
  // A host name has no slashes, and DC/OS leaves them out of it.
  const vip = written.replaceAll('/', '').toLowerCase();
  if (!NAME.test(vip) || vip.length > MAX_NAME) return `'${text}' is no name and port like /web:80`;
  return { vip, vipPort };
}
