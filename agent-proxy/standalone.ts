/**
 * The proxy as a file of its own (`dist/proxy.mjs`), which is what agents are sent: runs `main` and turns what it
 * throws into lines and an exit code, as the `nodemesh` command does.
 */
import { dirname } from 'node:path';
import { main } from './main.ts';

// Written into the bundle when it is built.
const version = process.env['NODEMESH_VERSION'] ?? '0.0.0';
const script = process.argv[1] ?? 'proxy.mjs';

main(process.argv.slice(2), { version, dist: dirname(script), relaunch: [script] }).then(
  () => process.exit(0),
  (error: unknown) => {
    for (const line of linesOf(error)) process.stderr.write(`${line}\n`);
    const code = error instanceof Error && 'exitCode' in error ? error.exitCode : 1;
    process.exit(typeof code === 'number' ? code : 1);
  },
);

/** A configuration has as many lines as it has faults, anything else one. */
function linesOf(error: unknown): string[] {
  if (error instanceof Error && 'lines' in error && Array.isArray(error.lines)) return error.lines.map(String);
  const sentence = error instanceof Error ? error.message : String(error);
  return [`nodemesh: ${sentence.replace(/\s*\n\s*/g, '; ')}`];
}
