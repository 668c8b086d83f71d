/** The takeover's hands and eyes: Marathon's and the scheduler's answers as the plan sees them, and its moves as requests. */
import * as z from 'zod/mini';
import { nodesAnswerSchema, trafficAnswerSchema } from '../dashboard/src/model/answers.ts';
import { judgeTraffic } from '../migrate/takeover/traffic.ts';
import { GIVEN_BACK, type LinkerdApp, type LinkerdTask, type MeshNode, type Move } from '../migrate/takeover/view.ts';
import { ask, getJson, refusal } from './http.ts';
import type { Remote } from './marathon.ts';
import { UnknownName } from './outcome.ts';
import type { TakeoverWorld } from './takeover-run.ts';

const taskSchema = z.object({
  id: z.string(),
  slaveId: z.nullish(z.string()),
  state: z._default(z.string(), 'TASK_STAGING'),
  version: z.nullish(z.string()),
  healthCheckResults: z.nullish(z.array(z.nullable(z.object({ alive: z._default(z.boolean(), false) })))),
});

const appSchema = z.object({
  app: z.object({
    id: z.string(),
    instances: z.number(),
    deployments: z._default(z.array(z.unknown()), []),
    healthChecks: z._default(z.array(z.unknown()), []),
    versionInfo: z.nullish(z.object({ lastConfigChangeAt: z.nullish(z.string()) })),
    tasks: z._default(z.array(taskSchema), []),
  }),
});

/** @throws {Error} for people, where that is no answer of Marathon's */
export function appIn(json: unknown): LinkerdApp {
  const read = appSchema.safeParse(json);
  if (!read.success) throw new Error("the answer is not Marathon's. Is the URL that of Marathon?");
  const { id, instances, deployments, healthChecks, versionInfo, tasks } = read.data.app;
  const changedAt = versionInfo?.lastConfigChangeAt ?? null;
  return {
    appId: id,
    instances,
    deploying: deployments.length > 0,
    tasks: tasks.map((task): LinkerdTask => {
      const results = task.healthCheckResults ?? [];
      return {
        taskId: task.id,
        agentId: task.slaveId ?? null,
        state: task.state,
        healthy: healthChecks.length === 0 || (results.length > 0 && results.every((result) => result?.alive === true)),
        // Of an older version is what an upgrade is about to replace.
        isCurrent: changedAt === null || task.version == null || Date.parse(task.version) >= Date.parse(changedAt),
      };
    }),
  };
}

export interface Places {
  readonly marathon: Remote;
  readonly app: string;
  readonly scheduler: URL;
  readonly token: string | null;
  /** A share: see migrate/takeover/traffic.ts. */
  readonly margin: number;
}

const probeSchema = z.object({
  listeners: z.array(z.object({ port: z.number(), fault: z.nullable(z.string()) })),
});

export function takeoverWorld(places: Places, shell: Pick<TakeoverWorld, 'say' | 'pause'>): TakeoverWorld {
  const { marathon, scheduler } = places;
  const path = `v2/apps/${places.app.replace(/^\/+/, '').split('/').map(encodeURIComponent).join('/')}`;

  async function look(): Promise<{ app: LinkerdApp; nodes: MeshNode[] }> {
    const [answer, nodes] = await Promise.all([
      marathon.ask(`${path}?embed=app.tasks`),
      getJson(scheduler, 'v1/nodes', nodesAnswerSchema),
    ]);
    if (answer.status === 404) throw new UnknownName(`Marathon has no app ${places.app}`);
    if (answer.status !== 200) throw marathon.refusal(`GET /${path}`, answer);
    const now = Date.now();
    return {
      app: appIn(answer.json),
      nodes: nodes.value.map(
        ({ agentId, hostname, public: isPublic, state, reason, taskId, heldOut, since }): MeshNode => ({
          ...{ agentId, hostname, isPublic, state, reason: reason ?? null, heldOut: heldOut ?? null },
          hasTask: taskId !== null && taskId !== undefined,
          stateForMs: since == null ? 0 : Math.max(0, now - Date.parse(since)),
        }),
      ),
    };
  }

  async function perform(move: Exclude<Move, { kind: 'wait' | 'check' | 'done' }>): Promise<boolean> {
    switch (move.kind) {
      case 'include':
        return place(move.node, 'include', {});
      case 'exclude':
        return place(move.node, 'exclude', { why: GIVEN_BACK });
      case 'scale':
        return change(`${path}${move.force ? '?force=true' : ''}`, 'PUT', { instances: move.instances });
      case 'scale-down':
        return change(`${path}/tasks/${encodeURIComponent(move.taskId)}?scale=true`, 'DELETE');
    }
  }

  async function change(where: string, method: 'PUT' | 'DELETE', body?: object): Promise<boolean> {
    const answer = await marathon.ask(where, method, body);
    if (answer.status === 200) return true;
    // Locked by a deployment, or a task that has just ended: the next look tells.
    if (answer.status === 409 || (method === 'DELETE' && answer.status === 404)) return false;
    throw marathon.refusal(`${method} /${where}`, answer);
  }

  async function place({ agentId }: MeshNode, verb: 'include' | 'exclude', body: object): Promise<boolean> {
    const where = `v1/nodes/${encodeURIComponent(agentId)}/${verb}`;
    const reply = await ask(scheduler, where, { method: 'POST', token: places.token, body });
    if (reply.status !== 200 && reply.status !== 208) throw refusal(scheduler, where, reply);
    return true;
  }

  async function check({ agentId }: MeshNode): Promise<{ isWell: boolean; saw: string }> {
    const probe = await getJson(scheduler, `v1/nodes/${encodeURIComponent(agentId)}/probe`, probeSchema);
    const mute = probe.value.listeners.find(({ fault }) => fault !== null);
    if (mute !== undefined) return { isWell: false, saw: `a listener of its proxy is silent: ${mute.fault}` };
    const { nodes, windowMs } = (await getJson(scheduler, 'v1/traffic', trafficAnswerSchema)).value;
    const traffic = nodes.map((node) => ({ ...node, successRate: node.successRate ?? null }));
    const verdict = judgeTraffic(agentId, traffic, windowMs, places.margin);
    const answers = `${probe.value.listeners.length} listeners answer`;
    const failed = `${percent(verdict.failed)} of ${verdict.requests} requests failed`;
    if (verdict.kind === 'too-little') return { isWell: true, saw: `${answers}, too little traffic to judge it by` };
    const elsewhere = verdict.elsewhere === null ? '' : ` (${percent(verdict.elsewhere)} elsewhere)`;
    return { isWell: verdict.kind === 'well', saw: `${answers}, ${failed}${elsewhere}` };
  }

  return { look, perform, check, ...shell, now: Date.now };
}

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
