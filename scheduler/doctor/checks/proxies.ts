/** Checks of what proxies say of themselves: files, CPU. Pure. */
import type { Facts, NodeFacts, ProxyFigures } from '../facts.ts';
import { type Finding, ok, plural, someOf, unknown } from '../finding.ts';

/** As the proxy itself warns of it at its start (agent-proxy/config/open-files.ts). */
const FEW_FILES = 4_096;
/** One period in twenty costs every request in it up to 100 ms. */
const THROTTLED = 0.05;
/** Fewer say nothing. */
const MIN_PERIODS = 100;

interface Speaking {
  readonly hostname: string;
  readonly figures: ProxyFigures;
}

export function files({ nodes }: Facts): readonly Finding[] {
  const known = speaking(nodes).filter(({ figures }) => figures.openFilesLimit !== null);
  if (known.length === 0) return [nothingKnown(nodes, 'limits of open files')];
  const low = known.filter(({ figures }) => (figures.openFilesLimit ?? FEW_FILES) < FEW_FILES);
  const findings: Finding[] = [];
  if (low.length > 0) {
    const least = Math.min(...low.map(({ figures }) => figures.openFilesLimit ?? FEW_FILES));
    findings.push({
      severity: 'warning',
      what: `${low.length} of ${known.length} proxies may have only ${least} files open`,
      subject: someOf(low.map(({ hostname }) => hostname)),
      why: 'each connection of a client takes up to two; what is beyond the limit is not accepted',
      todo: 'raise the limit of mesos-agent, which tasks inherit (LimitNOFILE= of its unit, or ulimit -n)',
    });
  }
  return findings.length > 0
    ? findings
    : [ok(plural(known.length, 'proxy', 'proxies'), `each may have ${FEW_FILES} files open or more`)];
}

export function cpu({ config, nodes }: Facts): readonly Finding[] {
  const { cpus, cpusLimit } = config.proxy;
  const may =
    cpusLimit === null
      ? `${plural(cpus, 'CPU')} and no more`
      : cpusLimit === 'unlimited'
        ? `${plural(cpus, 'CPU')} and what is free`
        : `${plural(cpus, 'CPU')} and up to ${cpusLimit}`;
  const known = speaking(nodes).filter(({ figures: { periods } }) => periods !== null && periods >= MIN_PERIODS);
  if (known.length === 0) {
    return [
      unknown(
        'the proxies',
        `whether they are throttled is not known; each may use ${may}`,
        'none has a cgroup with a limit that it can read (cpu.stat)',
      ),
    ];
  }
  const shares = known.map(({ hostname, figures }) => ({
    hostname,
    share: (figures.throttledPeriods ?? 0) / (figures.periods ?? 1),
  }));
  const slowed = shares.filter(({ share }) => share > THROTTLED).sort((a, b) => b.share - a.share);
  const [worst] = slowed;
  if (worst === undefined)
    return [ok(plural(known.length, 'proxy', 'proxies'), `none is throttled; each may use ${may}`)];
  return [
    {
      severity: 'warning',
      what: `${slowed.length} of ${known.length} proxies were throttled, at worst in ${Math.round(worst.share * 100)} % of the periods since their start`,
      subject: someOf(slowed.map(({ hostname, share }) => `${hostname} (${Math.round(share * 100)} %)`)),
      why: `each may use ${may}; a throttled proxy stands still for up to 100 ms`,
      todo: 'give them more with --proxy-cpus, or let them use what is free with --proxy-cpus-limit (Mesos 1.10 and later)',
    },
  ];
}

function speaking(nodes: readonly NodeFacts[]): readonly Speaking[] {
  return nodes.flatMap(({ hostname, proxy }) =>
    proxy?.kind === 'answered' ? [{ hostname, figures: proxy.value }] : [],
  );
}

function nothingKnown(nodes: readonly NodeFacts[], what: string): Finding {
  const silent = nodes.flatMap(({ hostname, proxy }) =>
    proxy?.kind === 'failed' ? [`${hostname} (${proxy.reason})`] : [],
  );
  const why = silent.length === 0 ? 'no proxy says it' : `no proxy answered on its admin port: ${someOf(silent)}`;
  return unknown('the proxies', `${what} are not known`, why);
}
