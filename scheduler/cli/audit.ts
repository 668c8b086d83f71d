/** `nodemesh audit`: who wrote what over the API. */
import * as z from 'zod/mini';
import { getJson } from './http.ts';
import { newCommand, type SchedulerOption, schedulerOption } from './options.ts';
import type { Screen } from './screen.ts';
import { renderTable } from './table.ts';

const versionSchema = z.nullable(z.union([z.number(), z.string()]));
const entriesSchema = z.array(
  z.object({
    at: z.string(),
    who: z.string(),
    what: z.string(),
    target: z.nullable(z.string()),
    from: versionSchema,
    to: versionSchema,
  }),
);

interface Options extends SchedulerOption {
  readonly limit: string;
  readonly json?: true;
}

export async function audit(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh audit', 'List who changed what, the newest first.', version)
    .option('--limit <n>', 'so many entries', '30')
    .option('--json', "print the scheduler's answer as it is, for programs")
    .addOption(schedulerOption());
  command.parse([...args], { from: 'user' });
  const { scheduler, limit, json } = command.opts<Options>();
  const { value, raw } = await getJson(scheduler, `v1/audit?limit=${encodeURIComponent(limit)}`, entriesSchema);
  if (json) return screen.write(`${JSON.stringify(raw, null, 2)}\n`);
  if (value.length === 0) return screen.write('Nothing was changed yet.\n');
  const columns = [
    { title: 'WHEN' },
    { title: 'WHO', shrinkTo: 12 },
    { title: 'WHAT', shrinkTo: 20 },
    { title: 'VERSION', optional: 1 },
  ] as const;
  const rows = value.map(({ at, who, what, target, from, to }) => {
    const versions = to === null ? '' : `${from ?? 'none'} → ${to}`;
    return [{ text: at }, { text: who }, { text: target === null ? what : `${what} (${target})` }, { text: versions }];
  });
  screen.write(renderTable(columns, rows, screen));
}
