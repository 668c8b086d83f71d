/** What people and the scheduler hand to a command: files, and bodies that may be no JSON. */
import { readFileSync } from 'node:fs';

/** The text of a file; `-` is standard input. @throws {Error} for people. */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Error(`${file === '-' ? 'standard input' : `the file ${file}`} cannot be read (${reason})`);
  }
}

/** Null where the text is no JSON. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
