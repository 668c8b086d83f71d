/** What the commands have in common: where the scheduler is, and the token for what changes something. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { wayToScheduler } from './way.ts';

const DEFAULT_SCHEDULER = 'http://127.0.0.1:4180';

export interface SchedulerOption {
  readonly scheduler: URL;
}

export interface TokenOption {
  readonly apiTokenFile?: string;
}

/** A command that whoever started it prints the errors of, once. */
export function newCommand(name: string, summary: string, version: string): Command {
  return new Command(`${wayToScheduler().before}${name}`)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .description(summary)
    .version(version)
    .allowExcessArguments(false);
}

export function schedulerOption(): Option {
  const option = new Option('--scheduler <url>', 'the address of the scheduler').argParser(parseUrl);
  const given = wayToScheduler().scheduler;
  if (given !== null) return option.default(given).hideHelp();
  return option.env('NODEMESH_SCHEDULER').default(new URL(DEFAULT_SCHEDULER), DEFAULT_SCHEDULER);
}

export function tokenOption(): Option {
  return new Option('--api-token-file <path>', 'file with the token that changes need off loopback').env(
    'NODEMESH_API_TOKEN_FILE',
  );
}

/** @throws {Error} for people. */
export function tokenOf({ apiTokenFile }: TokenOption): string | null {
  if (apiTokenFile === undefined || apiTokenFile === '') return null;
  let token: string;
  try {
    token = readFileSync(apiTokenFile, 'utf8').trim();
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Error(`the file ${apiTokenFile} cannot be read (${reason})`);
  }
  // It becomes a header.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error(`the file ${apiTokenFile} must hold one token`);
  return token;
}

/** An address with or without a path: behind DC/OS' Admin Router it ends with `/service/nodemesh/`. */
function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new InvalidArgumentError(`Give an http or https URL, such as ${DEFAULT_SCHEDULER}.`);
  }
  return url;
}
