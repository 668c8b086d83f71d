/**
 * Has a configuration file read and checked by a process of its own, which then ends: what checks it (YAML, the schema)
 * takes more memory than all else that a supervisor needs for as long as the proxy runs.
 */
import { spawn } from 'node:child_process';
import type { CheckedConfig } from '../config/check.ts';

/** A configuration that cannot be used: each line is whole, and says where and what. */
export class RefusedConfig extends Error {
  override readonly name = 'RefusedConfig';
  readonly exitCode = 1;
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

export type AcceptedConfig = Extract<CheckedConfig, { kind: 'ok' }>;

/**
 * `words` are the arguments after process.execPath that check the file `-` or another. Rejects with a
 * {@link RefusedConfig}, or an Error where it could not be checked at all.
 */
export async function readConfig(words: readonly string[]): Promise<AcceptedConfig> {
  const checked = await run(words);
  if (checked.kind === 'bad') throw new RefusedConfig(checked.lines);
  return checked;
}

function run(words: readonly string[]): Promise<CheckedConfig> {
  return new Promise((resolve, reject) => {
    // Standard input may be the configuration. The answer comes by the IPC channel, whatever its size.
    const child = spawn(process.execPath, [...words], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    child.on('error', reject);
    child.on('message', (message) => resolve(message as CheckedConfig));
    child.on('exit', (code, signal) =>
      reject(new Error(`the configuration was not checked: its process ended (${signal ?? `exit code ${code}`})`)),
    );
  });
}
