import { expect, it } from 'vitest';
import { judge } from './lines.mjs';
import { report } from './report.mjs';
import { rowOf } from './rows.mjs';
import type { Row } from './types.ts';

function verdictOn(line: RegExp, rows: readonly Row[], figures: Record<string, number> = {}) {
  const found = judge({ rows, figures }).filter((verdict) => line.test(verdict.line));
  expect(found).toHaveLength(1);
  return found[0];
}

function cpu(proxy: string, cpuUs: number, ratio: number | null = null, scenario = 'keepalive-64'): Row {
  return rowOf(scenario, proxy, { cpuUs, ratio: { rps: null, cpu: ratio, p99: null, mem: null } });
}

it.each([
  { ratio: 1.2, holds: true },
  { ratio: 1.21, holds: false },
])('bare routing at $ratio of HAProxy: holds is $holds', ({ ratio, holds }) => {
  expect(verdictOn(/by Host and dtab alone/, [cpu('nodemesh', 20, ratio)])).toMatchObject({ measured: ratio, holds });
});

it('both forms are held against the baseline', () => {
  const rows = [cpu('nodemesh', 22), cpu('nodemesh-features', 30), cpu('node-http', 50)];
  expect(verdictOn(/, nodemesh, to the bare/, rows)).toMatchObject({ measured: 0.44, holds: true });
  expect(verdictOn(/, nodemesh-features, to the bare/, rows)).toMatchObject({ measured: 0.6, holds: false });
});

it.each([
  { haproxy: 0.5, limit: 1.5 },
  { haproxy: 4, limit: 6 },
])(
  "p99 may be half more than HAProxy's $haproxy ms or 1 ms more, whichever is more: $limit ms",
  ({ haproxy, limit }) => {
    const rows = [
      rowOf('p99-half-rate', 'haproxy', { p99Ms: haproxy }),
      rowOf('p99-half-rate', 'nodemesh', { p99Ms: limit }),
    ];
    expect(verdictOn(/half of HAProxy's highest rate, nodemesh:/, rows)).toMatchObject({ limit, holds: true });
  },
);

it('the soak is judged by what was added', () => {
  const memory = (scenario: string, memMb: number) => rowOf(scenario, 'nodemesh-features', { memMb });
  const rows = [memory('soak-minute-3', 60), memory('soak-last-minute', 66), memory('soak-after-distinct-hosts', 70)];
  expect(verdictOn(/above its third/, rows)).toMatchObject({ measured: 6, holds: false });
  expect(verdictOn(/million distinct Hosts/, rows)).toMatchObject({ measured: 4, holds: true });
});

it('the share of the slow instance is in per cent', () => {
  const share = { 'ewma-slow/nodemesh-features/share': 0.015 };
  expect(verdictOn(/slow one of five/, [], share)).toMatchObject({ measured: 1.5, unit: '%', holds: true });
});

it('what was not measured is neither kept nor broken', () => {
  expect(judge({ rows: [], figures: {} }).every(({ holds }) => holds === null)).toBe(true);
});

it('the report has the table, the ratio to the baseline, and what holds', () => {
  const rows = [cpu('haproxy', 20, 1), cpu('node-http', 60, 3), cpu('nodemesh', 30, 1.5)];
  const cores = { proxy: 1, clients: 0, backend: 0 };
  const versions = { node: 'v20.0.0', haproxy: '2.6.12', nginx: '1.22.1' };
  const machine = { cpu: 'A CPU', cpus: 2, memoryGb: 8, system: 'Linux', ...versions, cores, measuredAt: 'today' };
  const text = report({ machine, rounds: 3, rows, lines: judge({ rows, figures: {} }), notes: ['a note'] });
  expect(text).toMatch(/\| keepalive-64 +\| nodemesh +\| - +\| 30\.0 +\| - .*\| 1\.50 +\| 0\.50 +\|/);
  expect(text).toMatch(/by Host and dtab alone.*\| 1\.50 × +\| 1\.20 × +\| does not hold \|/);
  expect(text).toContain('- a note');
  expect(text).toContain('Not measured in this run:\n');
});
