/**
 * Plans over HTTP as the DC/OS SDK has them (`/v1/plans/…`, the same status codes), and the freeze. What commands mean is
 * the framework's business.
 */
import express, { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { PLAN_VERBS, type PlanOutcome, type PlanView } from '../../framework/index.ts';
import { ApiError } from './errors.ts';
import { type Leadership, leadingPlane } from './leading.ts';

const MAX_BODY = '64kb';

/** As the SDK: variables of the environment, so what a shell takes for a name. */
export const parametersSchema = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not a name like MY_PARAMETER'),
  z.string('must be text'),
);

export const freezeSchema = z.object({ why: z.string().max(1_000).optional() }).optional();

interface PlansOptions extends Leadership {
  readonly logger: { info(fields: object, message: string): void };
}

export function plansRouter(options: PlansOptions): Router {
  const router = Router();
  const framework = () => leadingPlane(options).framework;
  const plans = () => leadingPlane(options).plans;
  const json = express.json({ limit: MAX_BODY, type: () => true });

  router.get('/v1/plans', (_request, response) => {
    response.json(plans().planNames());
  });

  router.get('/v1/plans/:plan', (request, response) => {
    const plan = plans().plan(request.params.plan);
    if (plan === undefined) return plainly(response, 404, noSuchPlan(request.params.plan, plans().planNames()));
    const { phases, errors, strategy, status } = plan;
    response.status(codeOf(plan)).json({ phases, errors, strategy, status });
  });

  for (const verb of PLAN_VERBS) {
    router.post(`/v1/plans/:plan/${verb}`, json, async (request, response) => {
      const { plan } = request.params as { plan: string };
      const phase = wordOf(request, 'phase');
      const step = wordOf(request, 'step');
      if (step !== undefined && phase === undefined) throw new ApiError(400, 'a step needs its phase: add ?phase=');
      const parameters = verb === 'start' ? parametersOf(request.body) : [];
      const command = {
        plan,
        verb,
        ...(phase === undefined ? {} : { phase }),
        ...(step === undefined ? {} : { step }),
      };
      const outcome = await plans().command(command);
      options.logger.info({ ...command, outcome: outcome.kind, from: request.ip }, 'a command for a plan');
      answer(response, outcome, parameters);
    });
  }

  router.get('/v1/freeze', (_request, response) => {
    response.json({ frozen: framework().frozen });
  });
  router.post('/v1/freeze', json, (request, response) => change(true, request, response));
  router.post('/v1/thaw', json, (request, response) => change(false, request, response));

  async function change(frozen: boolean, request: Request, response: Response): Promise<void> {
    const parsed = freezeSchema.safeParse(request.body);
    if (!parsed.success) throw new ApiError(400, 'the body is not {"why": "…"}');
    const { kind, message } = await framework().freeze(frozen);
    if (kind === 'invalid' || kind === 'not-found') throw new ApiError(409, message);
    const about = { why: parsed.data?.why ?? null, from: request.ip };
    if (kind === 'done') options.logger.info(about, `${frozen ? 'frozen' : 'thawed'} by an operator`);
    response.status(kind === 'already' ? 208 : 200).json({ frozen, message });
  }

  return router;
}

/** The SDK's: 417 tells of errors, 202 that it is not complete. */
function codeOf(plan: PlanView): number {
  if (plan.status === 'ERROR' || plan.errors.length > 0) return 417;
  return plan.status === 'COMPLETE' ? 200 : 202;
}

function answer(response: Response, outcome: PlanOutcome, parameters: readonly string[]): void {
  switch (outcome.kind) {
    case 'done': {
      const unused = parameters.length === 0 ? '' : ` (no plan here takes parameters: ${parameters.join(', ')})`;
      response.json({ message: `${outcome.message}${unused}` });
      return;
    }
    case 'already':
      response.status(208).json({ message: outcome.message });
      return;
    case 'not-found':
      return plainly(response, 404, outcome.message);
    case 'invalid':
      throw new ApiError(409, outcome.message);
  }
}

function plainly(response: Response, status: number, text: string): void {
  response.status(status).type('text/plain').send(`${text}\n`);
}

function noSuchPlan(name: string, known: readonly string[]): string {
  return `there is no plan ${name}; there are ${known.join(', ')}`;
}

function wordOf(request: Request, name: 'phase' | 'step'): string | undefined {
  const value = request.query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw new ApiError(400, `?${name}= may stand there once`);
  return value;
}

/** The names of the parameters. */
function parametersOf(body: unknown): string[] {
  const parsed = parametersSchema.safeParse(body ?? {});
  if (parsed.success) return Object.keys(parsed.data);
  const [issue] = parsed.error.issues;
  const name = issue?.path.map(String).join('.') ?? '';
  const inner = issue?.code === 'invalid_key' ? issue.issues[0]?.message : issue?.message;
  if (name === '') throw new ApiError(400, 'the body is not a JSON map of parameters');
  throw new ApiError(400, `parameter '${name}' ${inner ?? 'is not text'}`);
}
