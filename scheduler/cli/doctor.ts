/** `nodemesh doctor`: what the scheduler finds, what is seen from here, and what to do. */
import * as z from 'zod/mini';
import { ask, getJson } from './http.ts';
import { newCommand, type SchedulerOption, schedulerOption } from './options.ts';
import { QuietEnd } from './outcome.ts';
import type { Screen, Tone } from './screen.ts';
import { printable } from './table.ts';

const AFTER = `
The scheduler looks at Mesos, Marathon, ZooKeeper, names, ports, clocks, grants
and proxies; this command adds how it reaches the scheduler. Nothing is changed.
The exit code is 0 where nothing is wrong, 3 where there are warnings, 1 where
there are errors.`;

/** The scheduler asks the cluster, which may not answer, each in its own time. */
const TIMEOUT_MS = 45_000;
const SKEW_MS = 5_000;
const WARNINGS = 3;

const findingSchema = z.object({
  severity: z.string(),
  what: z.string(),
  subject: z.string(),
  why: z.nullable(z.string()),
  todo: z.nullable(z.string()),
});
type Finding = z.infer<typeof findingSchema>;
const checkSchema = z.object({ name: z.string(), findings: z.array(findingSchema) });
const diagnosisSchema = z.object({ at: z.string(), checks: z.array(checkSchema) });
const healthSchema = z.object({ version: z.string(), leading: z.boolean(), leader: z.nullish(z.string()) });

type Check = { readonly name: string; readonly findings: readonly Finding[] };

interface Options extends SchedulerOption {
  readonly fromApp?: string;
  readonly json?: true;
}

export async function doctor(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh doctor', 'Say what is wrong around the mesh, why, and what to do.', version)
    .option('--from-app <id>', 'also how this app reaches the proxy of its node')
    .option('--json', 'print the findings as JSON, for programs')
    .addOption(schedulerOption())
    .addHelpText('after', AFTER);
  command.parse([...args], { from: 'user' });
  const options = command.opts<Options>();
  const seen = await seenFromHere(options.scheduler, version);
  const checks = [{ name: 'scheduler', findings: seen }, ...(await diagnosed(options, seen))];
  screen.write(options.json ? `${JSON.stringify({ checks }, null, 2)}\n` : shown(checks, screen));
  const severities = new Set(checks.flatMap(({ findings }) => findings.map(({ severity }) => severity)));
  if (severities.has('error')) throw new QuietEnd(1);
  if (severities.has('warning')) throw new QuietEnd(WARNINGS);
}

/** How this machine reaches the scheduler. */
async function seenFromHere(scheduler: URL, version: string): Promise<readonly Finding[]> {
  const subject = scheduler.href.replace(/\/$/, '');
  const begun = Date.now();
  try {
    const reply = await ask(scheduler, 'v1/health');
    const health = healthSchema.parse(JSON.parse(reply.body));
    const ended = Date.now();
    const findings: Finding[] = [];
    if (!health.leading) {
      const leader = health.leader ?? null;
      findings.push({
        ...{ severity: 'warning', what: 'this scheduler does not lead', subject },
        why: leader === null ? 'which one does is not known (yet)' : `${leader} leads`,
        todo: leader === null ? 'see zookeeper' : `ask that one: --scheduler ${leader}`,
      });
    }
    if (health.version !== version) {
      findings.push({
        ...{ severity: 'note', what: `the scheduler has version ${health.version}, this command ${version}`, subject },
        ...{ why: null, todo: null },
      });
    }
    const aheadMs = reply.date == null ? 0 : Date.parse(reply.date) + 500 - (begun + ended) / 2;
    if (Math.abs(aheadMs) > SKEW_MS + (ended - begun)) {
      findings.push({
        ...{
          severity: 'warning',
          what: `its clock is ${Math.round(Math.abs(aheadMs) / 1_000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's`,
          subject,
        },
        why: 'one of the two does not keep its time',
        todo: 'timedatectl on both says which; see clocks for the others',
      });
    }
    if (findings.length > 0) return findings;
    return [{ severity: 'ok', what: `answers in ${ended - begun} ms, and leads`, subject, why: null, todo: null }];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [
      {
        ...{
          severity: 'error',
          what: 'the scheduler cannot be asked, so that nothing else could be looked at',
          subject,
          why,
        },
        todo: 'is it running? On DC/OS its address is https://<master>/service/nodemesh/; name it with --scheduler',
      },
    ];
  }
}

async function diagnosed({ scheduler, fromApp }: Options, seen: readonly Finding[]) {
  if (seen.some(({ severity }) => severity === 'error')) return [];
  const query = fromApp === undefined ? '' : `?${new URLSearchParams({ app: fromApp })}`;
  const { value } = await getJson(scheduler, `v1/doctor${query}`, diagnosisSchema, { timeoutMs: TIMEOUT_MS });
  return value.checks;
}

const TONES: Readonly<Record<string, readonly [mark: string, tone: Tone]>> = {
  ok: ['ok', 'good'],
  note: ['note', 'quiet'],
  unknown: ['?', 'quiet'],
  warning: ['warn', 'busy'],
  error: ['FAIL', 'bad'],
};

function shown(checks: readonly Check[], screen: Screen): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, findings }) =>
    findings.flatMap(({ severity, what, subject, why, todo }, index) => {
      const [mark, tone] = TONES[severity] ?? [severity, 'quiet'];
      const head = `${screen.paint('head', (index === 0 ? name : '').padEnd(width))}  ${screen.paint(tone, mark.padEnd(4))}`;
      const indent = ' '.repeat(width + 8);
      return [
        `${head}  ${printable(`${subject}: ${what}`)}`,
        ...(why === null ? [] : [`${indent}${screen.paint('quiet', 'why')}  ${printable(why)}`]),
        ...(todo === null ? [] : [`${indent}${screen.paint('quiet', 'do')}   ${printable(todo)}`]),
      ];
    }),
  );
  const all = checks.flatMap(({ findings }) => findings);
  const count = (severity: string): number => all.filter((finding) => finding.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const sum =
    errors + warnings === 0
      ? 'Nothing is wrong.'
      : `${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`;
  return `${lines.join('\n')}\n\n${sum}\n`;
}
