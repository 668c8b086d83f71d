/** The bodies that the API takes, by the names that they have in openapi.json: the very schemas that they are read by. */
import { enrollSchema, reportSchema, subscribeSchema, wantSchema } from '../../../agent-proxy/control/contract.ts';
import { rollbackSchema } from '../config.ts';
import { revertSchema } from '../dtabs.ts';
import { dtabJsonSchema } from '../namerd/dtab-body.ts';
import { postedSchema } from '../namerd/names.ts';
import { excludeSchema } from '../nodes.ts';
import { freezeSchema, parametersSchema } from '../plans.ts';
import { shiftRequestSchema } from '../shifts.ts';

export const BODIES = {
  PlanParameters: parametersSchema,
  FreezeRequest: freezeSchema,
  ExcludeRequest: excludeSchema,
  Rollback: rollbackSchema,
  Revert: revertSchema,
  Dtab: dtabJsonSchema,
  DelegateRequest: postedSchema,
  ShiftRequest: shiftRequestSchema,
  Enroll: enrollSchema,
  Subscribe: subscribeSchema,
  Report: reportSchema,
  Want: wantSchema,
} as const;

export type BodyName = keyof typeof BODIES;
