/** Names as this machine looks them up: by /etc/hosts and the name servers, as the scheduler itself does. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { NameFacts } from '../facts.ts';
import { reasonOf, within } from './bounded.ts';

/** DC/OS' own name of the leading master. */
const LEADER = 'leader.mesos';

/** `used`: hosts of the configuration, with what each is for. Addresses are left out. */
export async function gatherNames(
  used: readonly (readonly [host: string, usedFor: string])[],
  timeoutMs: number,
): Promise<readonly NameFacts[]> {
  const wanted = new Map<string, string | null>([[LEADER, null]]);
  for (const [host, usedFor] of used) {
    const name = host.replace(/^\[(.*)\]$/, '$1');
    if (isIP(name) === 0) wanted.set(name, usedFor);
  }
  return await Promise.all([...wanted].map(([name, usedFor]) => lookedUp(name, usedFor, timeoutMs)));
}

async function lookedUp(name: string, usedFor: string | null, timeoutMs: number): Promise<NameFacts> {
  const begun = performance.now();
  const found = lookup(name, { all: true }).then(
    (all): NameFacts['answer'] => ({
      kind: 'found',
      addresses: all.map(({ address }) => address),
      tookMs: Math.round(performance.now() - begun),
    }),
    (error: unknown): NameFacts['answer'] => ({ kind: 'not-found', reason: reasonOf(error) }),
  );
  const late = { kind: 'not-found', reason: `no name server has answered within ${timeoutMs / 1_000} s` } as const;
  return { name, usedFor, answer: await within<NameFacts['answer']>(timeoutMs, found, late) };
}
