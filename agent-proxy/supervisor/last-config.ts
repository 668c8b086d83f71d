/** The configuration that a scheduler gave last and that worked, on disk: a proxy starts with it before it finds a scheduler. */
import { mkdirSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GivenConfig } from '../config/spec.ts';

const FILE = 'last-config.json';

/** @throws where it cannot be written. */
export async function keepConfig(directory: string, config: GivenConfig): Promise<void> {
  await writeJson(join(directory, FILE), config);
}

/** Null where there is none, or none that can be read. */
export function keptConfig(directory: string): GivenConfig | null {
  try {
    const kept: unknown = JSON.parse(readFileSync(join(directory, FILE), 'utf8'));
    if (typeof kept !== 'object' || kept === null || !('revision' in kept) || !('document' in kept)) return null;
    const { revision, document } = kept;
    return typeof revision === 'number' ? { revision, document } : null;
  } catch {
    // Never given, or torn: the scheduler gives it again.
    return null;
  }
}

/** Runs `use` with a file that holds a value as JSON, which is gone afterwards. */
export async function withJsonFile<T>(
  directory: string,
  value: unknown,
  use: (file: string) => Promise<T>,
): Promise<T> {
  const file = join(directory, `wanted-config.${process.pid}.json`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  await writeJson(file, value);
  try {
    return await use(file);
  } finally {
    await rm(file, { force: true });
  }
}

/** All of it or nothing. */
async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(value), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
