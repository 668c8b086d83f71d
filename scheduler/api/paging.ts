/** `?limit=` and `?offset=` of a list: a part of it, for who does not want ten thousand rows. */
import { z } from 'zod';
import { ApiError } from './errors.ts';

const whole = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);
const pageSchema = z.object({ limit: whole.optional(), offset: whole.default(0) });

export interface Page {
  readonly offset: number;
  readonly limit: number;
}

/** Null where the whole list is asked for. @throws {ApiError} 400 */
export function pageOf(query: Readonly<Record<string, unknown>>): Page | null {
  if (query['limit'] === undefined && query['offset'] === undefined) return null;
  const parsed = pageSchema.safeParse({ limit: query['limit'], offset: query['offset'] });
  if (!parsed.success) throw new ApiError(400, '?limit= and ?offset= are whole numbers');
  const { limit = Number.MAX_SAFE_INTEGER, offset } = parsed.data;
  return { offset, limit };
}
