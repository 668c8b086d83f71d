/** Every write of the API ends in the audit log; `GET /v1/audit` shows it. */
import { type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import { type AuditLog, MAX_AUDIT_ENTRIES } from '../policy/audit-log.ts';
import { isRead, whoAsks } from './auth.ts';
import { ApiError } from './errors.ts';

/** What a handler knows of its write that the request line does not say. */
interface AuditNote {
  readonly target: string;
  readonly from: number | string | null;
  readonly to: number | string | null;
}

const NOTE = 'audit';

/** For the entry of this write: `dtab default`, from version 3 to 4. */
export function noteForAudit(response: Response, note: AuditNote): void {
  response.locals[NOTE] = note;
}

/** Records each write that was carried out. To be used behind the check of the token. */
export function auditWrites(audit: () => AuditLog | null): RequestHandler {
  return (request, response, next) => {
    if (isRead(request)) return next();
    const what = `${request.method} ${request.originalUrl}`;
    // `prefinish` comes with the end of the answer, before the client can have read it.
    response.once('prefinish', () => {
      if (response.statusCode >= 400) return;
      const note: AuditNote | undefined = response.locals[NOTE];
      const { target = null, from = null, to = null } = note ?? {};
      audit()?.record({ who: whoAsks(request), what, ...{ target, from, to }, status: response.statusCode });
    });
    next();
  };
}

const querySchema = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_AUDIT_ENTRIES).default(100),
  target: z.string().optional(),
});

export function auditRouter(audit: () => AuditLog): Router {
  const router = Router();
  router.get('/v1/audit', (request, response) => {
    const parsed = querySchema.safeParse(request.query);
    if (!parsed.success) throw new ApiError(400, `?limit= is a number from 1 to ${MAX_AUDIT_ENTRIES}`);
    const { limit, target } = parsed.data;
    const entries = audit()
      .newest()
      .filter((entry) => target === undefined || entry.target === target);
    response.json(entries.slice(0, limit).map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() })));
  });
  return router;
}
