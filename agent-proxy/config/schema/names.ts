/** Paths, patterns of paths and dtabs, as text that was checked. */
import { z } from 'zod';
import { readDtab } from '../../routing/dtab.ts';
import { DtabError } from '../../routing/dtab-scanner.ts';
import { readPath } from '../../routing/path.ts';
import { PathMatcher, PathTemplate } from '../../routing/path-matcher.ts';

export const path = written('is not a path', (text) => readPath(text)).meta({ shownAs: 'path' });

/** A prefix with `*` for a segment and `{name}` for a part that is kept. */
export const pathPattern = written('is not a path pattern', (text) => new PathMatcher(text)).meta({
  shownAs: 'path pattern',
});

/** A path with `{name}` where something is filled in. */
export const pathTemplate = written('is not a path template', (text) => new PathTemplate(text)).meta({
  shownAs: 'path template',
});

/** Below `/#`, with or without its leading slash. */
export const namerPrefix = z
  .string('is not a path')
  .trim()
  .transform((text) => (text.startsWith('/') ? text : `/${text}`))
  .pipe(path)
  .refine((text) => text !== '/', 'is empty')
  .meta({ shownAs: 'path' });

export const dtab = z
  .string('is not a dtab')
  .superRefine((text, context) => {
    const fault = faultIn(text, readDtab);
    if (fault !== null)
      context.addIssue({ code: 'custom', message: `line ${fault.line}, column ${fault.column}: ${fault.message}` });
  })
  .meta({ shownAs: 'dtab' });

function written(what: string, read: (text: string) => unknown) {
  return z
    .string(what)
    .trim()
    .superRefine((text, context) => {
      const fault = faultIn(text, read);
      if (fault !== null) context.addIssue({ code: 'custom', message: `${what}: ${fault.message}`, continue: false });
    });
}

function faultIn(text: string, read: (text: string) => unknown): DtabError | null {
  try {
    read(text);
    return null;
  } catch (error) {
    if (error instanceof DtabError) return error;
    throw error;
  }
}
