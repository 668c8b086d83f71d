/**
 * The command line as it is defined, without running any of it: the part behind a word is called, and stopped where it would
 * have its words parsed. So the reference and the tests of the documents know each command from the day it is written.
 */
import { Command, CommanderError } from 'commander';
import { parseCommand, USAGE, UsageError } from '../../agent-proxy/config/options.ts';
import { COMMANDS } from '../../nodemesh.ts';
import { pluginUsage } from '../../scheduler/cli/dcos/main.ts';

/** Thrown in place of parsing. */
class Defined extends Error {
  readonly command: Command;

  constructor(command: Command) {
    super('defined');
    this.command = command;
  }
}

const CONTEXT = { version: '0.0.0', dist: '', relaunch: [] };
/** Their definition is a text, and they parse by themselves. */
const BY_HAND: Readonly<Record<string, string>> = { proxy: USAGE, 'dcos-plugin': pluginUsage('nodemesh') };

/** The definition behind a word of the command line. @throws where there is none that can be read. */
async function definitionOf(word: string): Promise<Command> {
  const entry = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (entry === undefined) throw new Error(`there is no command ${word}`);
  const { main } = await entry.load();
  const { parse, parseAsync } = Command.prototype;
  const stop = function (this: Command): never {
    throw new Defined(this);
  };
  Command.prototype.parse = stop;
  Command.prototype.parseAsync = stop;
  try {
    await main([...entry.prefix, '--help'], CONTEXT);
  } catch (error) {
    if (error instanceof Defined) return error.command;
    throw error;
  } finally {
    Object.assign(Command.prototype, { parse, parseAsync });
  }
  throw new Error(`nodemesh ${word} does not have its words parsed by commander; say so in test/docs/command-line.ts`);
}

interface Words {
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What is wrong with `nodemesh <words>`; null: it would be understood. */
export async function faultOf({ words: [word, ...rest], env = {} }: Words): Promise<string | null> {
  if (word === undefined || ['--help', '-h', 'help', '--version', '-V'].includes(word)) return null;
  if (!Object.hasOwn(COMMANDS, word))
    return `there is no command ${word}; there are ${Object.keys(COMMANDS).join(', ')}`;
  try {
    // The first word is the module; what follows is a command again.
    if (word === 'dcos-plugin') return await faultOf({ words: rest.slice(1), env });
    if (word === 'proxy') parseCommand(rest, env, CONTEXT.version);
    else await parsed(await definitionOf(word), rest);
    return null;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    // A page says `--scheduler URL` or `--every TIME` for the value that a reader puts there.
    const isPlaceholder = /'(?:[A-Z][A-Z0-9_:-]*|<[^']*>|…|\[[^']*\])'/.test(error.message);
    if (error.code === 'commander.invalidArgument' && isPlaceholder) return null;
    return error.message.replace(/^error: /, '');
  }
}

async function parsed(command: Command, words: readonly string[]): Promise<void> {
  for (const each of [command, ...command.commands]) {
    each.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  }
  // Nothing of it is done.
  for (const each of command.commands) each.action(() => undefined);
  if (command.commands.length > 0 && words.length === 0) return;
  await command.parseAsync([...words], { from: 'user' });
}

const WIDTH = 110;

interface Help {
  /** `plan show`. */
  readonly words: string;
  readonly summary: string;
  readonly text: string;
}

/** What `--help` prints for each command and each of its subcommands, in the order in which `nodemesh --help` lists them. */
export async function allHelp(): Promise<readonly Help[]> {
  const all: Help[] = [];
  for (const [word, { summary }] of Object.entries(COMMANDS)) {
    const text = Object.hasOwn(BY_HAND, word) ? BY_HAND[word] : undefined;
    if (text !== undefined) {
      all.push({ words: word, summary, text: text.trimEnd() });
      continue;
    }
    const command = await definitionOf(word);
    all.push({ words: word, summary, text: helpOf(command) });
    for (const each of command.commands) {
      all.push({ words: `${word} ${each.name()}`, summary: each.description(), text: helpOf(each) });
    }
  }
  return all;
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trimEnd();
}
