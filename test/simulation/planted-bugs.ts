/** Bugs that the simulation must find, each as a change of the core's own text. */
import type { Change } from './bundle.mjs';

interface PlantedBug {
  readonly name: string;
  readonly changes: readonly Change[];
  /** What is found, as an expression. */
  readonly found: RegExp;
  /** SUPPRESS is let through, so that what it leads to is found, and not the call. */
  readonly allowsSuppress?: boolean;
}

const CALLS = `    for (const call of this.#calls) actions.push({ type: 'call', ...call });`;
const EFFECTS = 'framework/daemonset/effects.ts';

/** Calls of one kind go out before anything is written. */
function before(test: string): readonly Change[] {
  const first = '    const actions: Action[] = [...this.#logs];';
  return [
    {
      file: EFFECTS,
      from: first,
      to: `${first}\n    for (const call of this.#calls) if (${test}) actions.push({ type: 'call', ...call });`,
    },
    { file: EFFECTS, from: CALLS, to: CALLS.replace(') actions', `) if (!(${test})) actions`) },
  ];
}

const SILENCE = '  if (repeat !== null) for (const [taskId, agentId] of repeat) step.questions.set(taskId, agentId);';

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'launch before the write',
    changes: before('call.launches !== undefined'),
    found: /^5: .* is launched, and the store does not have it/,
  },
  {
    name: 'acknowledge before the store',
    changes: before(`call.body.type === 'ACKNOWLEDGE'`),
    found: /^5: the end of .* is acknowledged, and the store still has the task/,
  },
  {
    name: 'silence taken as loss',
    changes: [
      {
        file: 'framework/daemonset.ts',
        from: SILENCE,
        to: `  if (repeat !== null && state.reconciliation.repeatDelay >= 8_000) {
    for (const [taskId, agentId] of [...repeat]) {
      takeStatus(step, { task_id: { value: taskId }, agent_id: { value: agentId }, state: 'TASK_GONE' });
    }
  } else${SILENCE.slice(1)}`,
      },
    ],
    found: /^1: .* was launched on .*, where .* lives/,
  },
  {
    name: 'SUPPRESS after coverage',
    changes: [
      {
        file: 'framework/offers/revival.ts',
        from: `    revival.at = null;
    return;`,
        to: `    if (subscribed && revival.at !== null) step.call({ type: 'SUPPRESS' });
    revival.at = null;
    return;`,
      },
    ],
    found: /^2: .* has no node/m,
    allowsSuppress: true,
  },
  {
    name: 'UNREACHABLE counted as free',
    changes: [
      {
        file: 'framework/tasks/ledger.ts',
        from: `  TASK_UNREACHABLE: { kind: 'alive', phase: 'unreachable' },`,
        to: `  TASK_UNREACHABLE: { kind: 'ended' },`,
      },
    ],
    found: /^1: .* is killed as a stray, and is the only task/,
  },
  {
    name: 'a reservation never released',
    changes: [
      {
        file: 'framework/offers/offer-cycle.ts',
        from: `    return unreserve(step, node, ids, ours) ? 'used' : { refuseSeconds: WAITING_REFUSE_SECONDS };`,
        to: '    return { refuseSeconds: WAITING_REFUSE_SECONDS };',
      },
    ],
    found: /held for nothing|uninstall never ends|still has reservations/,
  },
  {
    name: 'a rollout that ignores its budget',
    changes: [
      {
        file: 'framework/rollout/rollout.ts',
        from: '  if (room > 0) return queue.values().next().value;',
        to: '  if (room > -10) return queue.values().next().value;',
      },
    ],
    found: /^3: /,
  },
];
