/** All plans of the scheduler: those of the framework, and that of the configuration once one was rolled out. */
import type { Framework, PlanCommand, PlanOutcome, PlanView } from '../../framework/index.ts';
import type { Erasure } from '../erasure.ts';
import { CONFIG_PLAN, commandConfig, configPlan } from './config-plan.ts';
import type { RollingConfig } from './rolling-config.ts';

export type Plans = Pick<Framework, 'planNames' | 'plan' | 'command'>;

export function allPlans(framework: Plans, config: RollingConfig, erasure: Pick<Erasure, 'shown'>): Plans {
  return {
    planNames: () => [...framework.planNames(), ...(config.rollout === null ? [] : [CONFIG_PLAN])],
    plan(name): PlanView | undefined {
      if (name !== CONFIG_PLAN) {
        const plan = framework.plan(name);
        return plan === undefined ? undefined : erasure.shown(plan);
      }
      return config.rollout === null ? undefined : configPlan(config.rollout, config.nodes());
    },
    command: (command: PlanCommand): Promise<PlanOutcome> =>
      command.plan === CONFIG_PLAN ? commandConfig(config, command) : framework.command(command),
  };
}
