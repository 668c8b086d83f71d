/** The result of a soak, for people, and whether the promises were kept. Pure. */

/** @typedef {import('./soak.ts').Result} Result */

/**
 * @param {Result} result
 * @returns {string[]} one sentence for each promise that was broken
 */
export function broken({ doubles, slow, unexplained, rounds }) {
  return [
    ...(rounds === 0 ? ['no round of faults came to its end'] : []),
    ...(doubles.length === 0 ? [] : [`two proxy tasks on an agent: ${doubles.slice(0, 3).join('; ')}`]),
    ...slow.map(
      ({ ms, faults, missing }) => `not well within 10 s of ${faults.join(', ')}, but after ${seconds(ms)}: ${missing}`,
    ),
    ...(unexplained.length === 0
      ? []
      : [
          `${unexplained.length} failed requests have no explanation: ${unexplained
            .slice(0, 3)
            .map(({ way, ip, what }) => `${way}, ${ip ?? 'any node'}: ${what}`)
            .join('; ')}`,
        ]),
  ];
}

/**
 * @param {Result} result
 * @returns {string} Markdown
 */
export function report(result) {
  const { seed, minutes, rounds, faults, loads, explained, unexplained, doubles } = result;
  const healing = [...result.healing].sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => seconds(healing[Math.ceil(share * healing.length) - 1] ?? 0);
  return [
    `${minutes} minutes, seed ${seed}, ${rounds} rounds of faults; Node.js ${process.versions.node}`,
    '',
    table(['fault', 'times'], Object.entries(faults)),
    '',
    table(
      ['requests', 'sent', 'answered 200', 'failed'],
      Object.entries(loads).map(([way, { sent, succeeded, failed }]) => [way, sent, succeeded, failed]),
    ),
    '',
    table(['failures explained by', 'number'], [...Object.entries(explained), ['nothing', unexplained.length]]),
    '',
    table(
      ['from the last fault of a round to all well', 'half of them', '90 %', 'longest'],
      [['', at(0.5), at(0.9), at(1)]],
    ),
    '',
    `Looks that saw two proxy tasks on an agent: ${doubles.length}.`,
  ].join('\n');
}

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

/**
 * @param {readonly string[]} heads
 * @param {readonly (readonly (string | number)[])[]} rows
 */
function table(heads, rows) {
  const line = (/** @type {readonly (string | number)[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
