/** Dtabs in requests and answers: as JSON or as text, by `Content-Type` and `Accept`, as namerd has it. */
import type { Request } from 'express';
import { z } from 'zod';
import {
  type DentryJson,
  DtabError,
  dtabFromJson,
  dtabToJson,
  readDtab,
  showDtab,
} from '../../../agent-proxy/routing/dtab.ts';
import type { Namespace } from '../../policy/dtab-store.ts';
import { isTooLarge } from '../../policy/dtab-store.ts';
import { ApiError } from '../errors.ts';

/** As JSON a dtab has some more bytes than the 48 kB that it may have as text. */
export const MAX_BODY = '256kb';

const JSON_TYPE = 'application/json';
const TEXT_TYPES = ['application/dtab', 'text/plain'];

export const dtabJsonSchema = z.array(z.object({ prefix: z.string(), dst: z.string() }));

/** The media type to answer with: the first that is asked for and that there is. */
export function acceptedType(request: Request): string {
  for (const each of (request.headers.accept ?? '').split(',')) {
    const type = each.split(';', 1)[0]?.trim().toLowerCase() ?? '';
    if (type === JSON_TYPE || TEXT_TYPES.includes(type)) return type;
  }
  return JSON_TYPE;
}

/** A namespace's dtab in a media type; an empty one where there is none. */
export function shownDtab(namespace: Namespace | null, type: string): string {
  const dtab = namespace?.dtab ?? [];
  return type === JSON_TYPE ? JSON.stringify(dtabToJson(dtab)) : showDtab(dtab);
}

/** The text of the dtab in a request's body. @throws {ApiError} 400 with line and column, 413 */
export function dtabIn(request: Request, name: string): string {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const body: unknown = request.body;
  const text = typeof body === 'string' ? body : '';
  let dtab: string;
  if (TEXT_TYPES.includes(type)) dtab = checkedText(text);
  else if (type === JSON_TYPE) dtab = textOfJson(text);
  else {
    const given = type === '' ? 'none is given' : `'${type}' is not known`;
    throw new ApiError(400, `Content-Type: ${given}; use application/dtab, text/plain or application/json`);
  }
  if (isTooLarge(name, dtab)) throw new ApiError(413, 'a dtab may have 48 kB, as every proxy keeps it');
  return dtab;
}

export function checkedText(text: string): string {
  try {
    readDtab(text);
  } catch (error) {
    throw invalidDtab(error, 'dtab');
  }
  return text.trim();
}

function textOfJson(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiError(400, 'the body is not JSON; a dtab is [{"prefix": "/svc", "dst": "/#/io.l5d.marathon"}, …]');
  }
  const parsed = dtabJsonSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
    throw new ApiError(400, `the body is not a dtab${where}: [{"prefix": "/svc", "dst": "/#/io.l5d.marathon"}, …]`);
  }
  // One by one, to say which is wrong.
  return parsed.data.map((dentry, index) => dentryText(dentry, index + 1)).join(' ;\n');
}

function dentryText(dentry: DentryJson, number: number): string {
  try {
    return showDtab(dtabFromJson([dentry]));
  } catch (error) {
    throw invalidDtab(error, `dentry ${number}`);
  }
}

/** 400 with the place of the fault. */
export function invalidDtab(error: unknown, what: string): Error {
  if (!(error instanceof DtabError)) return error instanceof Error ? error : new Error(String(error));
  const { line, column, message } = error;
  return new ApiError(400, `Invalid ${what}: line ${line}, column ${column}: ${message}`, { line, column });
}
