/**
 * What an event of Marathon makes doubtful. Events carry no order and no guarantee, so they only say what to ask for
 * again; what is then true, REST says. Pure.
 */
import { z } from 'zod';

export type Dirty = { readonly kind: 'app'; readonly name: string } | { readonly kind: 'all' };

const id = z.string().min(1).nullish();
const body = z.looseObject({
  appId: id,
  runSpecId: id,
  appDefinition: z.looseObject({ id }).nullish(),
  plan: z
    .looseObject({
      steps: z.array(z.looseObject({ actions: z.array(z.looseObject({ app: id })).nullish() })).nullish(),
    })
    .nullish(),
});

/** Events that name an app in `appId` (before 1.5 all did), `runSpecId` or `appDefinition`. */
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
const OF_A_DEPLOYMENT = new Set(['deployment_success', 'deployment_failed']);
/** A group's apps changed together, or Marathon reconciles with its master: ask for everything. */
const OF_EVERYTHING = new Set(['group_change_success', 'scheduler_registered_event', 'scheduler_reregistered_event']);

/** Tells that this stream is in place; asked for, so that a filter does not hide it. */
export const ATTACHED_EVENT = 'event_stream_attached';

/** What to subscribe to: the others cost Marathon the writing of large deployment plans. */
export const WATCHED_EVENTS: readonly string[] = [ATTACHED_EVENT, ...OF_ONE_APP, ...OF_A_DEPLOYMENT, ...OF_EVERYTHING];

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
  if (OF_EVERYTHING.has(type)) return [{ kind: 'all' }];
  if (OF_ONE_APP.has(type)) {
    const app = event.runSpecId ?? event.appId ?? event.appDefinition?.id;
    return app ? [dirtyApp(app)] : [{ kind: 'all' }];
  }
  if (OF_A_DEPLOYMENT.has(type)) {
    const apps = (event.plan?.steps ?? []).flatMap((step) =>
      (step.actions ?? []).flatMap((action) => action.app ?? []),
    );
    return apps.length > 0 ? [...new Set(apps)].map(dirtyApp) : [{ kind: 'all' }];
  }
  return [];
}

function dirtyApp(appId: string): Dirty {
  return { kind: 'app', name: appId.replace(/^\//, '') };
}
