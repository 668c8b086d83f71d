/** Options of a framework for tests: everything that a test does not care about. */
import type { FrameworkOptions } from '../../framework/index.ts';
import { GOAL, SETTINGS, template } from './story.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

export function frameworkOptions(
  given: Partial<FrameworkOptions> & Pick<FrameworkOptions, 'masters' | 'store'>,
): FrameworkOptions {
  return {
    name: 'nodemesh',
    user: 'root',
    role: 'nodemesh',
    publicRole: 'slave_public',
    principal: null,
    constraints: [],
    reserve: true,
    available: () => true,
    goal: GOAL,
    rollout: SETTINGS.rollout,
    uninstall: false,
    hostname: '127.0.0.1',
    webuiUrl: 'http://127.0.0.1:4180',
    logger: silent,
    task: () => template,
    upgrade: () => {},
    changed: () => {},
    uninstalled: () => {},
    fatal: () => {},
    ...given,
  };
}
