/**
 * The composition root: the `nodemesh` command. It finds the part that a word names, loads that part alone, and turns
 * what it throws into lines and an exit code. Nobody imports this file.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from './commands.ts';

const OLDEST_NODE = [20, 19] as const;

function usage(): string {
  const names = Object.keys(COMMANDS);
  const width = Math.max(...names.map((name) => name.length));
  const rows = names.map((name) => `  ${name.padEnd(width)}  ${COMMANDS[name]?.summary ?? ''}`);
  return [
    'Usage: nodemesh <command> [options]',
    '',
    'A service mesh for Apache Mesos, Marathon and DC/OS.',
    '',
    'Commands:',
    ...rows,
    '',
    'nodemesh <command> --help tells the options of a command; nodemesh --version the version.',
  ].join('\n');
}

/** One line, whatever was thrown: an error's message without its first line's prefix, and never a stack trace. */
function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/^error: /, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .join('; ');
}

/** A configuration has as many lines as it has faults, and each names its file; anything else is one line. */
function linesOf(error: unknown): readonly string[] {
  if (error instanceof Error && 'lines' in error && Array.isArray(error.lines)) return error.lines.map(String);
  return [`nodemesh: ${sentenceOf(error)}`];
}

/** Usage errors are 2, everything else 1, unless the error says so itself. */
function exitCodeOf(error: unknown): number {
  if (!(error instanceof Error)) return 1;
  if ('code' in error && typeof error.code === 'string' && error.code.startsWith('commander.')) {
    return 'exitCode' in error && error.exitCode === 0 ? 0 : 2;
  }
  return 'exitCode' in error && typeof error.exitCode === 'number' ? error.exitCode : 1;
}

async function run(argv: readonly string[], dist: string, script: string): Promise<number> {
  const version = process.env['NODEMESH_VERSION'] ?? '0.0.0';
  const [word, ...rest] = argv;
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') {
    process.stdout.write(`${usage()}\n`);
    return word === undefined ? 2 : 0;
  }
  if (word === '--version' || word === '-V') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (command === undefined) {
    const known = Object.keys(COMMANDS).join(', ');
    process.stderr.write(`nodemesh: unknown command '${word}'; the commands are ${known}\n`);
    return 2;
  }
  try {
    const part = await command.load();
    await part.main([...command.prefix, ...rest], { version, dist, relaunch: [script, word] });
    return 0;
  } catch (error) {
    const code = exitCodeOf(error);
    // Commander has already written help, and it throws to say so.
    if (code !== 0) for (const line of linesOf(error)) process.stderr.write(`${line}\n`);
    return code;
  }
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `nodemesh: needs Node.js ${OLDEST_NODE.join('.')} or newer, and this is ${process.version}; install a newer one\n`,
  );
  process.exitCode = 1;
} else {
  const script = fileURLToPath(import.meta.url);
  // A broken pipe (`nodemesh nodes | head`) is the reader's wish, not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const code = await run(process.argv.slice(2), dirname(script), script);
  process.exitCode = code;
}
