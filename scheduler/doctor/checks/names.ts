/** The check of DNS, as the scheduler's machine sees it. Pure. */
import type { Facts, NameFacts } from '../facts.ts';
import { type Finding, ok } from '../finding.ts';

const SLOW_MS = 1_000;

export function names({ names: all }: Facts): readonly Finding[] {
  return all.map(judged);
}

function judged({ name, usedFor, answer }: NameFacts): Finding {
  if (answer.kind === 'found') {
    if (answer.tookMs <= SLOW_MS) return ok(name, `leads to ${answer.addresses.join(', ')}`);
    return {
      severity: 'warning',
      what: `the look-up took ${(answer.tookMs / 1_000).toFixed(1)} s`,
      subject: name,
      why: 'the first name server in /etc/resolv.conf does not answer, or answers late',
      todo: 'mend or reorder the name servers of this machine',
    };
  }
  if (usedFor === null) {
    const what = 'it is not found: this is no DC/OS, or this machine does not ask Mesos-DNS. Nothing here needs it';
    return { severity: 'note', what, subject: name, why: answer.reason, todo: null };
  }
  return {
    severity: 'error',
    what: `the name of ${usedFor} is not found`,
    subject: name,
    why: answer.reason,
    todo: 'mend the name, or have this machine ask the name server that knows it (Mesos-DNS for *.mesos)',
  };
}
