/**
 * The pages of the documents that are made from code, wholly or in part: `npm run docs` writes them, and generated.test.ts
 * fails where one is not what the code says. A page that is to be made gets a line here.
 */
import { configurationReference } from '../../agent-proxy/config/reference.ts';
import { optionsReference } from '../../scheduler/config/reference.ts';
import { labelsReference } from '../../scheduler/discovery/labels/reference.ts';
import { commandsPage } from './commands-page.ts';
import { addressesTable, checksTable } from './doctor-tables.ts';
import { errorsPage } from './errors-page.ts';
import { schedulerMetricsTable } from './metrics-table.ts';
import { openApiText } from './openapi-text.ts';
import { packageOptionsPage } from './package-options-page.ts';

interface MadePage {
  /** From the root of the checkout. */
  readonly file: string;
  /** What it is made of, for who wonders why it changed. */
  readonly from: string;
  /** `current` is empty where there is no such file yet. */
  make(current: string): string | Promise<string>;
}

export const MADE_PAGES: readonly MadePage[] = [
  { file: 'docs/configuration.md', from: 'agent-proxy/config/schema/', make: configurationReference },
  { file: 'docs/scheduler-options.md', from: 'scheduler/config/options.ts', make: optionsReference },
  { file: 'docs/labels.md', from: 'scheduler/discovery/labels/', make: labelsReference },
  { file: 'docs/commands.md', from: 'nodemesh.ts and the options of each command', make: commandsPage },
  {
    file: 'docs/errors.md',
    from: 'agent-proxy/control/reason-codes.ts and test/docs/errors-page.ts',
    make: errorsPage,
  },
  { file: 'docs/package-options.md', from: 'dcos-package/universe/', make: packageOptionsPage },
  { file: 'docs/openapi.json', from: 'scheduler/api/openapi/', make: openApiText },
  {
    file: 'docs/doctor.md',
    from: 'scheduler/doctor/checks.ts and scheduler/doctor/from-app.ts',
    make: (current) =>
      withPart(withPart(current, 'checks of the doctor', checksTable()), 'addresses of the proxy', addressesTable()),
  },
  {
    file: 'docs/metrics.md',
    from: 'scheduler/api/metrics.ts',
    make: (current) => withPart(current, 'metrics of the scheduler', schedulerMetricsTable()),
  },
];

/** The page with what stands between the marks of a part replaced. @throws where the marks are not there. */
function withPart(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: made by npm run docs, do not edit -->\n`, `<!-- end of ${name} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`the page has no part between ${begin.trim()} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}
