/**
 * What an event of Marathon makes doubtful. Events carry no order and no guarantee, so they only say what to ask for
 * again; what is then true, REST says. Pure.
 */
import { z } from 'zod';

export type Dirty =
  /** An app or a pod. `isMeant`: somebody changes it, so that it may lose endpoints without surprise. */
  | { readonly kind: 'app'; readonly name: string; readonly isMeant?: boolean }
  /** `group`: all apps of this group change because somebody wants it. */
  | { readonly kind: 'all'; readonly group?: string };

const id = z.string().min(1).nullish();
const body = z.looseObject({
  appId: id,
  runSpecId: id,
  appDefinition: z.looseObject({ id }).nullish(),
  groupId: id,
  uri: id,
  plan: z
    .looseObject({
      steps: z.array(z.looseObject({ actions: z.array(z.looseObject({ app: id, pod: id })).nullish() })).nullish(),
    })
    .nullish(),
});

/** Events that name an app or a pod in `appId` (before 1.5 all did), `runSpecId` or `appDefinition`. */
const OF_ONE_APP = new Set([
  'status_update_event',
  'instance_changed_event',
  'instance_health_changed_event',
  'health_status_changed_event',
  'unhealthy_instance_kill_event',
  'unhealthy_task_kill_event',
  'unknown_instance_terminated_event',
  'app_terminated_event',
  'api_post_event',
  'add_health_check_event',
  'remove_health_check_event',
]);
/** Of these, those that follow from what somebody has asked Marathon for. */
const MEANT = new Set(['app_terminated_event', 'api_post_event']);
const OF_A_POD = new Set(['pod_created_event', 'pod_updated_event', 'pod_deleted_event']);
const OF_A_DEPLOYMENT = new Set(['deployment_success', 'deployment_failed']);
/** A group's apps changed together, or Marathon reconciles with its master: ask for everything. */
const OF_EVERYTHING = new Set(['group_change_success', 'scheduler_registered_event', 'scheduler_reregistered_event']);

/** Tells that this stream is in place; asked for, so that a filter does not hide it. */
export const ATTACHED_EVENT = 'event_stream_attached';

/** What to subscribe to: the others cost Marathon the writing of large deployment plans. */
export const WATCHED_EVENTS: readonly string[] = [
  ...[ATTACHED_EVENT, ...OF_ONE_APP, ...OF_A_POD],
  ...[...OF_A_DEPLOYMENT, ...OF_EVERYTHING],
];

/** Null: not an object of JSON, which is to be counted and skipped. */
export function dirtyBy(type: string, data: string): Dirty[] | null {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return null;
  }
  const parsed = body.safeParse(json);
  if (!parsed.success) return null;
  const event = parsed.data;
  const { groupId, uri, plan } = event;
  if (OF_EVERYTHING.has(type)) return [{ kind: 'all', ...(groupId ? { group: groupId } : {}) }];
  if (OF_ONE_APP.has(type)) {
    const app = event.runSpecId ?? event.appId ?? event.appDefinition?.id;
    return app ? [dirtyApp(app, MEANT.has(type))] : [{ kind: 'all' }];
  }
  if (OF_A_POD.has(type)) {
    const pod = /^\/v2\/pods\/+([^:?]+)/.exec(uri ?? '')?.[1];
    // Where it is created, the path is that of all pods.
    return pod ? [dirtyApp(pod, true)] : [{ kind: 'all' }];
  }
  if (OF_A_DEPLOYMENT.has(type)) {
    const actions = (plan?.steps ?? []).flatMap((step) => step.actions ?? []);
    const apps = actions.flatMap((action) => action.app ?? action.pod ?? []);
    return apps.length > 0 ? [...new Set(apps)].map((app) => dirtyApp(app, true)) : [{ kind: 'all' }];
  }
  return [];
}

function dirtyApp(id: string, isMeant: boolean): Dirty {
  return { kind: 'app', name: id.replace(/^\//, ''), isMeant };
}
