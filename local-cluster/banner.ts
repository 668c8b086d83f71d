/** What a person reads when the cluster is ready: where things are, and what to try next. */
import { styleText } from 'node:util';
import type { ReadyDocument } from './documents.ts';

export function banner(ready: ReadyDocument, seconds: string, demo: boolean, colour: boolean): string {
  const strong = (text: string): string => (colour ? styleText('bold', text) : text);
  const faint = (text: string): string => (colour ? styleText('dim', text) : text);
  const first = ready.nodes[0];
  const lines = [
    '',
    `${strong('nodemesh is up')} ${faint(`(${seconds.trim()}; ${ready.nodes.length} nodes)`)}`,
    '',
    ...(ready.scheduler === null ? [] : [`  dashboard  ${strong(`${ready.scheduler}/`)}`]),
    `  Mesos      ${ready.mesos}`,
    `  Marathon   ${ready.marathon}`,
    ...ready.nodes.map(
      (node) =>
        `  node       ${node.http}  ${faint(node.edge === undefined ? 'private' : `public, edge ${node.edge}`)}`,
    ),
  ];
  if (first !== undefined && ready.scheduler !== null) {
    lines.push('', '  Try:');
    if (demo)
      lines.push(`    curl -si -H 'Host: web' ${first.http}/        ${faint('# a request by name, through the mesh')}`);
    const edge = ready.nodes.find((node) => node.edge !== undefined)?.edge;
    if (demo && edge !== undefined)
      lines.push(`    curl -si -H 'Host: web.example.com' ${edge}/   ${faint('# an exposed app, from outside')}`);
    lines.push(`    node dist/nodemesh.mjs nodes --scheduler ${ready.scheduler}`);
    if (demo) {
      lines.push(
        `    curl -X PUT -H 'Content-Type: application/json' -d '{"instances": 5}' ${ready.marathon}/v2/apps/gen`,
      );
    }
    lines.push(`    curl -X POST ${ready.mesos}/local/agents -d '{}'        ${faint('# a node joins')}`);
  }
  lines.push('', faint('  Ctrl-C stops everything.'), '');
  return lines.join('\n');
}
