/** `/v1/shifts`: traffic shifts, begun, watched and ended. */
import express, { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { duration } from '../config/values.ts';
import { isOver, type Shift, wantedPercent } from '../policy/shift/record.ts';
import type { ShiftOutcome, Shifts } from '../policy/shift/shifts.ts';
import { noteForAudit } from './audit.ts';
import { whoAsks } from './auth.ts';
import { ApiError } from './errors.ts';
import { written } from './namerd/writes.ts';

/** As Marathon has it: parts of lower-case letters, digits, dots and dashes. */
const APP = /^\/?([a-z0-9]([a-z0-9.-]*[a-z0-9])?)(\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?)*$/;
const DAY_MS = 24 * 60 * 60_000;

const app = z
  .string()
  .regex(APP, 'is not the id of a Marathon app')
  .transform((id) => id.replace(/^\//, ''));

export const shiftRequestSchema = z.strictObject({
  service: app,
  to: app,
  /** Percent. */
  steps: z
    .array(z.number().gt(0).max(100))
    .min(1)
    .max(50)
    .default([1, 10, 50, 100])
    .refine((steps) => steps.every((step, at) => at === 0 || step > (steps[at - 1] ?? 0)), 'must rise')
    .refine((steps) => steps.at(-1) === 100, 'must end with 100'),
  every: duration
    .default(5 * 60_000)
    .refine((ms) => ms >= 1_000 && ms <= DAY_MS, 'must be a time from 1s to 24h, such as 30s or 5m'),
  minRequests: z.int().min(1).max(1_000_000).default(100),
});

export function shiftsRouter(shifts: () => Shifts): Router {
  const router = Router();

  router.get('/v1/shifts', (_request, response) => {
    const current = shifts();
    response.json(current.list().map((shift) => shiftJson(shift, current)));
  });

  router.get('/v1/shifts/*service', (request, response) => {
    const current = shifts();
    const service = serviceOf(request);
    const shift = current.get(service);
    if (shift === undefined) throw new ApiError(404, `there is no shift of ${service}`);
    response.json(shiftJson(shift, current));
  });

  router.post('/v1/shifts', express.json({ limit: '16kb', type: () => true }), async (request, response) => {
    const parsed = shiftRequestSchema.safeParse(request.body);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new ApiError(
        400,
        `${issue?.path.map(String).join('.') || 'the body'}: ${issue?.message ?? 'is not a shift'}`,
      );
    }
    const { every, ...rest } = parsed.data;
    const current = shifts();
    const outcome = await written(current.start({ ...rest, everyMs: every, by: whoAsks(request) }));
    answer(outcome, current, response, 201);
  });

  for (const verb of ['pause', 'continue'] as const) {
    router.post(`/v1/shifts/*service/${verb}`, async (request, response) => {
      const current = shifts();
      answer(await written(current.command(serviceOf(request), verb)), current, response);
    });
  }

  router.delete('/v1/shifts/*service', async (request, response) => {
    const current = shifts();
    answer(await written(current.command(serviceOf(request), 'abort')), current, response);
  });

  return router;
}

function answer(outcome: ShiftOutcome, shifts: Shifts, response: Response, status = 200): void {
  if (outcome.kind !== 'done') throw new ApiError(outcome.kind === 'missing' ? 404 : 409, outcome.why);
  const { shift } = outcome;
  noteForAudit(response, {
    target: `shift ${shift.service}`,
    from: null,
    to: `${wantedPercent(shift)} % to ${shift.to}`,
  });
  response.status(status).json(shiftJson(shift, shifts));
}

/** An id has slashes, which may stand in the path as they are or escaped. */
function serviceOf(request: Request): string {
  const { service } = request.params;
  const parts: unknown = service;
  const id = Array.isArray(parts) ? parts.join('/') : String(parts);
  return id.replace(/^\//, '');
}

function shiftJson(shift: Shift, shifts: Shifts): object {
  const { service, from, to, steps, everyMs, minRequests, state, unproven, reason, by } = shift;
  return {
    ...{ service, from, to, steps, everyMs, minRequests, state, unproven, reason, by },
    percent: wantedPercent(shift),
    step: isOver(shift) ? null : shift.step + 1,
    /** Of the present step. */
    counted: shifts.counted(service),
    since: new Date(shift.since).toISOString(),
    startedAt: new Date(shift.startedAt).toISOString(),
  };
}
