/**
 * The dependency rules: `node test/rules/check-imports.mjs [--root DIR]` names every import against the arrows and
 * every cycle, with file and line, and exits with 1 if there is one.
 */
import { relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ROOT } from '../../dcos-package/build/set-up.mjs';
import { ARROWS, PACKAGES } from './arrows.mjs';
import { cyclesOf } from './cycles.mjs';
import { readGraph } from './import-graph.mjs';

/** @typedef {import('./import-graph.mjs').Edge} Edge */
/** @typedef {import('./import-graph.mjs').Graph} Graph */

/**
 * @param {string} file
 * @param {string} place as in arrows.mjs
 */
function isIn(file, place) {
  if (place.startsWith('**/')) return `/${file}`.endsWith(place.slice(2));
  return place.endsWith('/') ? file.startsWith(place) : file === place;
}

/**
 * @param {Edge} edge
 * @returns {string | null} what is wrong with it and what to do
 */
function faultOf(edge) {
  if (edge.target === 'node') return null;
  if (edge.target === 'computed') {
    // The build and set-up scripts load what may not be there yet, by names that they put together.
    if (isIn(edge.from, 'dcos-package/')) return null;
    return 'the name in this import() is computed, so nobody can check it. Write the path as a plain string.';
  }
  const table = edge.target === 'file' ? ARROWS : PACKAGES;
  const arrow = table.find(({ from }) => isIn(edge.from, from));
  if (arrow === undefined) {
    return 'no rule says what this file may import. Move it into a part, or give its folder an entry in test/rules/arrows.mjs.';
  }
  if (arrow.may.some((place) => (edge.target === 'file' ? isIn(edge.to, place) : edge.to === place))) return null;
  if (edge.to === 'nodemesh.ts')
    return 'nobody imports the composition root. Move what you need out of it into a part.';
  const allowed = arrow.may.length === 0 ? 'nothing' : arrow.may.join(', ');
  const remedy =
    edge.target === 'file'
      ? 'Hand it in from a place that may know both, or move the shared piece to where both may look.'
      : 'Do without it, move the code to where it is allowed, or decide otherwise in test/rules/arrows.mjs.';
  const what = edge.target === 'file' ? '' : 'Of packages, ';
  return `${arrow.because}. ${what}${arrow.from} may import: ${allowed}. ${remedy}`;
}

/**
 * @param {Graph} graph
 * @returns {string[]} a text for each fault
 */
export function faultsOf(graph) {
  const broken = graph.edges.flatMap((edge) => {
    const fault = faultOf(edge);
    const what = edge.target === 'computed' ? '' : ` of ${edge.to}`;
    return fault === null ? [] : [`${edge.from}:${edge.line}: ${edge.form}${what}\n    ${fault}`];
  });
  const cycles = cyclesOf(graph.edges.filter((edge) => edge.target === 'file')).map((cycle) => {
    const walk = cycle.map((edge) => `${edge.from}:${edge.line} → ${edge.to} (${edge.form})`);
    const remedy = 'Move what they share into a file of its own that imports none of them (types count too).';
    return `${cycle[0]?.from}:${cycle[0]?.line}: import cycle\n    ${walk.join('\n    ')}\n    ${remedy}`;
  });
  const unreadable = graph.unreadable.map(({ file, line, text }) => `${file}:${line}: ${text}`);
  return [...broken, ...cycles, ...unreadable];
}

async function main() {
  const { values } = parseArgs({ options: { root: { type: 'string' } } });
  const root = values.root === undefined ? ROOT : resolve(values.root);
  const graph = await readGraph(root);
  const faults = faultsOf(graph);
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  const where = relative(process.cwd(), root) || '.';
  const counts = `${graph.files.length} files, ${graph.edges.length} imports in ${where}`;
  process.stdout.write(
    `dependency rules: ${counts}, ${faults.length === 0 ? 'no fault' : `${faults.length} to mend`}\n`,
  );
  if (faults.length > 0) process.exitCode = 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
