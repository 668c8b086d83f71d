/** What the framework is told of this scheduler, and how it gets the task of a proxy. */
import type { FrameworkOptions } from '../framework/index.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { proxyTask } from './proxy/task.ts';

/** What the framework tells the control plane. */
export type FrameworkHooks = Pick<FrameworkOptions, 'upgrade' | 'changed'>;

export function frameworkOptions(options: ControlPlaneOptions, hooks: FrameworkHooks): FrameworkOptions {
  const { access, advertise, config, goals, identity, logger, refusals, store } = options;
  const { name, user, role, publicRole, principal, constraints, reserve, rollout, uninstall } = config;
  return {
    ...access,
    ...{ store, logger, name, user, role, publicRole, principal, constraints, reserve, rollout, uninstall },
    goal: { id: goals.wanted.id, relaunchKey: goals.wanted.relaunchKey },
    available: (goal) => goals.find(goal) !== null,
    hostname: options.hostname,
    webuiUrl: advertise,
    permission: (call, refusal) => refusals.mesos(call, refusal),
    task: (agent, taskId, goal) => {
      const found = goals.find(goal);
      if (found === null) throw new Error(`the archive of ${goal.id} is not at hand; name it with --proxy-archive`);
      const { clusterKey, launchKey } = identity;
      return proxyTask({ ...found, advertise, clusterKey, launchKey, name }, agent, taskId);
    },
    uninstalled: () => options.erasure.begin(),
    fatal: (error) => options.fatal(error),
    ...hooks,
  };
}
