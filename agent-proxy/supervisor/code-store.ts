/** The code that upgrades have brought, one directory for each, named by its SHA-256. */
import { spawn } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Upgrade } from '../control/contract.ts';
import type { FetchedCode, WantedCode } from './code-fetch.ts';

/** Of fetching, checking and unpacking together. */
const FETCH_PATIENCE_MS = 60_000;

export class CodeStore {
  private readonly directory: string;
  private readonly words: readonly string[];

  /** `words` are the arguments after process.execPath that run this program; they need not work before the first fetch. */
  constructor(directory: string, words: readonly string[]) {
    this.directory = directory;
    this.words = words;
  }

  /** The file to run. Rejects with an Error that says why it cannot be had. */
  fetch({ url, sha256, codeSha256 }: Upgrade): Promise<string> {
    const wanted: WantedCode = { url, sha256, codeSha256 };
    return new Promise((resolve, reject) => {
      const words = [...this.words, '--fetch-code', JSON.stringify(wanted), '--', this.directory];
      const child = spawn(process.execPath, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      const patience = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`the archive ${url} was not there within ${FETCH_PATIENCE_MS} ms`));
      }, FETCH_PATIENCE_MS);
      const settle = (act: () => void): void => {
        clearTimeout(patience);
        act();
      };
      child.on('error', (error) => settle(() => reject(error)));
      // It speaks our language: it is this same program.
      child.on('message', (message: FetchedCode) =>
        settle(() => (message.kind === 'ok' ? resolve(message.file) : reject(new Error(message.reason)))),
      );
      child.on('exit', (code, signal) =>
        settle(() => reject(new Error(`what fetches the archive ended (${signal ?? `exit code ${code}`})`))),
      );
    });
  }

  /** Removes all but these. */
  async keepOnly(sha256s: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.directory)) {
      if (!sha256s.has(name)) await rm(join(this.directory, name), { recursive: true, force: true });
    }
  }
}
