/** The result of the bench, for people. Pure. */

/** @typedef {import('./scenario.ts').Result} Result */

/**
 * @param {readonly Result[]} few
 * @param {readonly Result[]} many
 * @param {readonly import('./verdicts.mjs').Verdict[]} verdicts
 * @returns {string} Markdown
 */
export function report(few, many, verdicts) {
  const worst = many.reduce((a, b) => (b.all.max > a.all.max ? b : a));
  return [
    'Events of the decision core, with what they write: milliseconds of CPU (the smaller of `process.cpuUsage`, which counts all threads, and the clock), and the longest on the clock.',
    '',
    table(
      ['agents', 'seed', 'events', 'mean', 'p99', 'longest', 'on the clock', 'covered after', 'heap MB', 'RSS MB'],
      [...few, ...many].map((result) => [
        result.agents,
        result.seed,
        result.all.count,
        result.all.mean.toFixed(4),
        result.all.p99.toFixed(2),
        result.all.max.toFixed(1),
        result.all.maxOnClock.toFixed(1),
        `${result.coveredAfterMinutes.toFixed(1)} min`,
        result.heapMb.toFixed(0),
        result.rssMb.toFixed(0),
      ]),
    ),
    '',
    `By kind, of the run with the longest event (${worst.agents} agents, seed ${worst.seed}):`,
    '',
    table(
      ['event', 'count', 'mean', 'p50', 'p99', 'longest', 'all together'],
      Object.entries(worst.kinds).map(([kind, cost]) => [
        kind,
        cost.count,
        ...[cost.mean, cost.p50, cost.p99, cost.max].map((ms) => ms.toFixed(3)),
        cost.total.toFixed(0),
      ]),
    ),
    '',
    table(
      ['limit', 'measured', 'at most', ''],
      verdicts.map(({ what, measured, limit, unit, holds }) => [
        what,
        `${Number.isInteger(measured) ? measured : measured.toFixed(3)} ${unit}`,
        limit,
        holds ? 'holds' : 'BROKEN',
      ]),
    ),
  ].join('\n');
}

/**
 * @param {readonly string[]} heads
 * @param {readonly (readonly (string | number)[])[]} rows
 */
function table(heads, rows) {
  const line = (/** @type {readonly (string | number)[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
