/**
 * The dtab of the interpreter io.l5d.fs: a file that is followed. What it says last that can be read counts: neither an
 * edit with a mistake nor a file that went away takes names from anybody.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Directory, type DirectoryWatches, directoriesOf, directoryOf } from '../namers/directory-watches.ts';
import { RepeatedLook } from '../namers/repeated-look.ts';
import { type Activity, PENDING, Var } from '../routing/activity.ts';
import { type Dtab, DtabError, readDtab } from '../routing/dtab.ts';

const MAX_FILE_BYTES = 1024 * 1024;

/** `warn` hears what is wrong with the file, once for each way of being wrong. */
export function dtabFile(path: string, watches: DirectoryWatches, warn: (message: string) => void): Activity<Dtab> {
  let text: string | null = null;
  let said = '';

  const wrong = (reason: string): void => {
    dtab.failed(reason);
    if (reason === said) return;
    said = reason;
    warn(dtab.state.kind === 'ok' ? `${reason}; the dtab before it stays in force` : reason);
  };

  const read = (now: string): void => {
    if (now === text) return;
    text = now;
    try {
      dtab.ok(readDtab(now));
      said = '';
    } catch (error) {
      if (!(error instanceof DtabError)) throw error;
      wrong(`dtab file ${path}: line ${error.line}, column ${error.column}: ${error.message}`);
    }
  };

  const look = async (): Promise<readonly Directory[]> => {
    const directories: Directory[] = [];
    try {
      directories.push(directoryOf(dirname(path), await stat(dirname(path)), basename(path)));
      directories.push(...(await directoriesOf(path)));
      const { size } = await stat(path);
      if (size > MAX_FILE_BYTES) wrong(`dtab file ${path} has ${size} bytes, and at most ${MAX_FILE_BYTES} are read`);
      else read(await readFile(path, 'utf8'));
    } catch (error) {
      text = null;
      wrong(`dtab file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
    return directories;
  };

  const looks = new RepeatedLook(watches, look);
  const dtab = new Var<Dtab>(PENDING, () => looks.start());
  return dtab;
}
