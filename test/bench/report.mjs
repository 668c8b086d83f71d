/** The result of a run, for people. Pure. */

/**
 * @typedef {object} Result
 * @property {import('./machine.mjs').Machine} machine
 * @property {number} rounds
 * @property {readonly import('./types.ts').Row[]} rows
 * @property {readonly import('./lines.mjs').Verdict[]} lines
 * @property {readonly string[]} notes
 */

const HEADS = [
  'scenario',
  'proxy',
  'req/s',
  'CPU µs',
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
  'MB',
  '× CPU',
  '× node',
  '× p99',
];

/**
 * @param {Result} result
 * @returns {string} Markdown
 */
export function report({ machine, rounds, rows, lines, notes }) {
  const { cpu, cpus, memoryGb, system, node, haproxy, nginx, cores } = machine;
  return [
    `${cpu}, ${cpus} CPUs, ${memoryGb} GB, ${system}; Node.js ${node}, HAProxy ${haproxy}, nginx ${nginx}`,
    `proxies on CPU ${cores.proxy}, clients on ${cores.clients}, backend on ${cores.backend}; medians of ${rounds} rounds; ${machine.measuredAt}`,
    '',
    table(
      HEADS,
      rows.map((row) => cellsOf(row, rows)),
    ),
    '',
    '× CPU and × p99: to HAProxy of the same form (`haproxy-features` for `nodemesh-features`). × node: CPU to `node-http`.',
    ...notes.map((note) => `- ${note}`),
    '',
    table(['line', 'measured', 'limit', ''], lines.filter(({ holds }) => holds !== null).map(verdictCells)),
    ...notMeasured(lines),
  ].join('\n');
}

/**
 * @param {import('./types.ts').Row} row
 * @param {readonly import('./types.ts').Row[]} rows
 */
function cellsOf(row, rows) {
  const baseline =
    rows.find(({ scenario, proxy }) => scenario === row.scenario && proxy === 'node-http')?.cpuUs ?? null;
  const toBaseline = row.cpuUs === null || baseline === null ? null : row.cpuUs / baseline;
  return [
    row.scenario,
    row.proxy,
    cell(row.rps, 0),
    cell(row.cpuUs, 1),
    cell(row.p50Ms, 2),
    cell(row.p99Ms, 2),
    cell(row.p999Ms, 2),
    cell(row.memMb, 1),
    cell(row.ratio.cpu, 2),
    cell(toBaseline, 2),
    cell(row.ratio.p99, 2),
  ];
}

/** @param {import('./lines.mjs').Verdict} verdict */
function verdictCells({ line, measured, limit, unit, holds }) {
  return [line, `${cell(measured, 2)} ${unit}`, `${cell(limit, 2)} ${unit}`, holds ? 'holds' : 'does not hold'];
}

/** @param {readonly import('./lines.mjs').Verdict[]} lines */
function notMeasured(lines) {
  const left = lines.filter(({ holds }) => holds === null);
  return left.length === 0 ? [] : ['', 'Not measured in this run:', ...left.map(({ line }) => `- ${line}`)];
}

/**
 * @param {number | null} value
 * @param {number} digits
 */
function cell(value, digits) {
  return value === null ? '-' : value.toFixed(digits);
}

/**
 * Columns as wide as they need to be; from the third on, they are numbers and stand to the right.
 *
 * @param {readonly string[]} heads
 * @param {readonly (readonly string[])[]} body
 */
function table(heads, body) {
  const widths = heads.map((head, column) =>
    Math.max(head.length, 3, ...body.map((cells) => (cells[column] ?? '').length)),
  );
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(heads), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
