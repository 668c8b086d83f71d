/** The check of each Marathon. Pure. */
import { FIRST_PREFIX } from '../../config/marathons.ts';
import type { Facts, MarathonFacts } from '../facts.ts';
import { type Finding, ok } from '../finding.ts';
import { notAnswered } from './mesos.ts';

export function marathon({ marathons }: Facts): readonly Finding[] {
  return marathons.flatMap(judged);
}

function judged({ prefix, url, info, followed }: MarathonFacts): readonly Finding[] {
  const who = prefix === FIRST_PREFIX ? 'Marathon' : `the Marathon '${prefix}'`;
  if (info.kind !== 'answered') return [notAnswered(info, who, '--marathon')];
  const findings: Finding[] = [];
  if (info.value.leader === null) {
    findings.push({
      severity: 'error',
      what: `${who} has no leader`,
      subject: url,
      why: 'none of its instances leads, as while it cannot reach its ZooKeeper',
      todo: 'look into the log of Marathon; endpoints that are known stay as they are',
    });
  }
  if (followed !== null && !followed.connected) {
    findings.push({
      severity: 'error',
      what: 'there is no event stream, so that changes are seen late',
      subject: `${url}/v2/events`,
      why: followed.reason ?? 'it was cut, or not accepted',
      todo: 'is there a proxy between, which buffers or ends long answers? Name Marathon itself with --marathon',
    });
  }
  if (followed !== null && !followed.synced) {
    findings.push({
      severity: 'error',
      what: `the apps of ${who} are not all known`,
      subject: url,
      why: followed.reason ?? 'the first list is not read yet',
      todo: 'wait for it; if it lasts, the reason says what Marathon answered',
    });
  }
  return findings.length > 0
    ? findings
    : [ok(url, `${who} ${info.value.version}, ${followed === null ? 'answers' : 'followed by its events'}`)];
}
