/** The check of clocks, by the header Date. Pure. */
import type { Asked, ClockReading, Facts } from '../facts.ts';
import { type Finding, ok, plural, someOf, unknown } from '../finding.ts';

/** Logins of DC/OS end within minutes, and deadlines of requests are told as times of the day. */
const WARN_MS = 5_000;
const ERROR_MS = 60_000;

interface Clock {
  readonly who: string;
  readonly reading: ClockReading;
}

export function clocks(facts: Facts): readonly Finding[] {
  const all: Clock[] = [
    ...clockOf('the Mesos master', facts.mesos.version),
    ...facts.marathons.flatMap(({ url, info }) => clockOf(`Marathon at ${url}`, info)),
    ...facts.clocks.flatMap(({ hostname, clock }) => (clock === null ? [] : [{ who: hostname, reading: clock }])),
  ];
  if (all.length === 0) return [unknown('the cluster', 'no clock is known', 'nobody that answered has a header Date')];
  const off = all.filter(({ reading }) => offBy(reading) > WARN_MS);
  if (off.length === 0)
    return [ok(plural(all.length, 'clock'), `within ${WARN_MS / 1_000} s of the clock of the scheduler`)];
  // Where most are off by as much, it is our own that is wrong.
  const isOurs = all.length > 2 && off.length > all.length / 2;
  const worst = Math.max(...off.map(({ reading }) => Math.abs(reading.aheadMs)));
  const seconds = Math.round(worst / 1_000);
  return [
    {
      severity: worst > ERROR_MS ? 'error' : 'warning',
      what: `${off.length} of ${all.length} clocks are up to ${seconds} s off the clock of the scheduler`,
      subject: isOurs ? "the scheduler's machine" : someOf(off.map(({ who, reading }) => `${who} (${shown(reading)})`)),
      why: isOurs ? 'most of the others agree with each other' : 'the machine does not keep its time (NTP)',
      todo: 'have all machines follow one time (chronyc tracking, timedatectl): logins and deadlines fail otherwise',
    },
  ];
}

function clockOf(who: string, asked: Asked<unknown>): Clock[] {
  return asked.kind === 'failed' || asked.clock === null ? [] : [{ who, reading: asked.clock }];
}

/** At least so much. */
const offBy = ({ aheadMs, plusMinusMs }: ClockReading): number => Math.max(0, Math.abs(aheadMs) - plusMinusMs);

function shown({ aheadMs }: ClockReading): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  return `${seconds} s ${aheadMs > 0 ? 'ahead' : 'behind'}`;
}
