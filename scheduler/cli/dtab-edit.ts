/** `nodemesh dtab edit`: a namespace in the person's own editor; what was changed meanwhile is not written over. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** As git and crontab choose it. */
const EDITORS = ['VISUAL', 'EDITOR'] as const;
const OTHERWISE = 'vi';

export interface Edit {
  /** For the name of the file. */
  readonly name: string;
  readonly text: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes what was written. */
  save(text: string): Promise<void>;
}

/** False where nothing was changed. @throws where the editor fails, or what was written is refused: then it is kept in a file. */
export async function edited({ name, text, environment, save }: Edit): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'nodemesh-'));
  const file = join(directory, `${name.replace(/[^\w.-]/g, '_')}.dtab`);
  let isKept = false;
  try {
    writeFileSync(file, text);
    open(file, environment);
    const written = readFileSync(file, 'utf8');
    if (written === text) return false;
    isKept = true;
    await save(written);
    isKept = false;
    return true;
  } catch (error) {
    if (!isKept) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${why}\nWhat you wrote is in ${file}; correct it, and give it to nodemesh dtab set ${name} ${file}`,
      {
        cause: error,
      },
    );
  } finally {
    if (!isKept) rmSync(directory, { recursive: true, force: true });
  }
}

function open(file: string, environment: Edit['environment']): void {
  const given = EDITORS.map((variable) => environment[variable]).find((words) => words !== undefined && words !== '');
  const editor = given ?? OTHERWISE;
  // It may have words of its own (`code --wait`), so that a shell reads it, as git has it.
  const { status, signal, error } = spawnSync('/bin/sh', ['-c', `${editor} "$1"`, editor, file], { stdio: 'inherit' });
  if (status === 0) return;
  const how = error?.message ?? (signal === null ? `exit code ${status}` : signal);
  throw new Error(`the editor '${editor}' failed (${how}), so nothing was changed; choose another with EDITOR`);
}
