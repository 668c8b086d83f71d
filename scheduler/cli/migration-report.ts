/** What `nodemesh migrate` says to a person: each setting and its fate, the files, and what to do with them. */
import type { Finding, Migration, Verdict } from '../migrate/draft.ts';
import type { Screen } from './screen.ts';
import { printable } from './table.ts';

export const OPTIONS_FILE = 'nodemesh-options.json';
export const CONFIG_FILE = 'linkerd.yaml';

/** Those that need a person first. */
const ROOMS: readonly (readonly [Verdict, string])[] = [
  ['not-understood', 'Not understood: somebody has to look at it'],
  ['changed', 'Changed'],
  ['left-out', 'Left out: there is no counterpart'],
  ['taken', 'Taken over'],
];

interface Asked {
  readonly marathon?: URL;
  readonly app?: string;
  readonly out?: string;
}

export function migrationReport(migration: Migration, asked: Asked, screen: Screen): string {
  const { findings, options, config, dtabs } = migration;
  const count = (verdict: Verdict): number => findings.filter((one) => one.verdict === verdict).length;
  const lines = [
    `${findings.length} settings: ${count('taken')} taken over, ${count('changed')} changed, ${count('left-out')} left out, ${count('not-understood')} not understood.`,
  ];
  for (const [verdict, title] of ROOMS) {
    const some = findings.filter((one) => one.verdict === verdict);
    if (some.length > 0) lines.push('', screen.paint('head', title), ...some.flatMap(findingLines));
  }
  lines.push(
    '',
    screen.paint('head', `${OPTIONS_FILE} – the options of the package`),
    JSON.stringify(options, null, 2),
  );
  if (config !== null) {
    lines.push('', screen.paint('head', `${CONFIG_FILE} – mesh.config, before base64`), config.trimEnd());
  }
  for (const { namespace, text } of dtabs) {
    lines.push('', screen.paint('head', `${namespace}.dtab – the namespace ${namespace}`), text.trimEnd());
  }
  lines.push('', screen.paint('head', 'What to do'), ...nextSteps(migration, asked));
  return `${lines.join('\n')}\n`;
}

function findingLines({ place, value, becomes, why }: Finding): string[] {
  const arrow = becomes === null ? '' : ` → ${becomes}`;
  return [printable(`  ${place} = ${value}${arrow}`), ...(why === null ? [] : [`      ${why}`])];
}

function nextSteps({ dtabs }: Migration, { marathon, app, out }: Asked): string[] {
  const at = out === undefined ? '' : `${out.replace(/\/+$/, '')}/`;
  return [
    ...(out === undefined ? ['  # --out DIR writes the files'] : []),
    `  dcos package install nodemesh --options=${at}${OPTIONS_FILE}`,
    ...dtabs.map(({ namespace }) => `  nodemesh dtab set ${namespace} ${at}${namespace}.dtab`),
    '  nodemesh config show --effective   # what the proxies will do, with all defaults',
    `  nodemesh migrate takeover --marathon ${marathon?.href ?? 'URL'} --app ${app ?? '/linkerd'}`,
    '',
    '  What differs from linkerd stands in docs/differences.md, the whole way in docs/moving-from-linkerd.md.',
  ];
}
