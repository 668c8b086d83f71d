/** The result of the bench, for people. Pure. */

/** @typedef {import('./measure.ts').Result} Result */
/** @typedef {import('./measure.ts').Reconnect} Reconnect */

/**
 * @param {readonly Result[]} results
 * @param {readonly import('./verdicts.mjs').Verdict[]} verdicts
 * @returns {string} Markdown
 */
export function report(results, verdicts) {
  const loads = results.map(({ load }) => load.toFixed(1)).join(' and ');
  return [
    'From the write of an event of Marathon to the last proxy that has it, by runs:',
    '',
    table(
      ['proxies', 'p50 of each run', 'p99 of each run'],
      results.map(({ proxies, runs }) => [
        proxies,
        runs.map(({ p50Ms }) => p50Ms.toFixed(0)).join(', '),
        runs.map(({ p99Ms }) => p99Ms.toFixed(0)).join(', '),
      ]),
    ),
    '',
    'All streams dropped and opened again at once:',
    '',
    table(
      ['proxies', '', 'served after', 'by resume', 'by snapshot', 'streams lost', '/v1/nodes?limit=1, p99'],
      results.flatMap((result) => [
        ...rowOf(result.proxies, 'with resume', result.withResume),
        ...rowOf(result.proxies, 'without', result.withoutResume),
      ]),
    ),
    '',
    table(
      ['limit', 'measured', 'at most', ''],
      verdicts.map(({ what, measured, limit, unit, holds }) => [
        what,
        `${measured.toFixed(0)} ${unit}`,
        limit,
        holds ? 'holds' : 'BROKEN',
      ]),
    ),
    '',
    `Load average of the machine at the end of each: ${loads}.`,
  ].join('\n');
}

/**
 * @param {number} proxies
 * @param {string} how
 * @param {Reconnect | null} given
 */
function rowOf(proxies, how, given) {
  if (given === null) return [];
  const { servedMs, resumed, snapshots, lost, nodesP99Ms } = given;
  return [[proxies, how, `${(servedMs / 1000).toFixed(1)} s`, resumed, snapshots, lost, `${nodesP99Ms.toFixed(0)} ms`]];
}

/**
 * @param {readonly string[]} heads
 * @param {readonly (readonly (string | number)[])[]} rows
 */
function table(heads, rows) {
  const line = (/** @type {readonly (string | number)[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
