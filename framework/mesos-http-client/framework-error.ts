/**
 * What an ERROR event means. Mesos has only texts for it; it comes as the first record of an answer with status 200, or in
 * the middle of a stream. Texts: src/master/{master,validation}.cpp and recorded streams.
 */

/**
 * - `failed-over`: another scheduler has subscribed under the same id. Only one may go on.
 * - `removed`: the id is dead; its tasks are killed.
 * - `unauthorized`: the principal may not register, or not with these roles.
 * - `invalid`: the FrameworkInfo is not one that this master takes.
 * - `other`: a text that is not known.
 */
export type FrameworkErrorKind = 'failed-over' | 'removed' | 'unauthorized' | 'invalid' | 'other';

export interface FrameworkError {
  readonly kind: FrameworkErrorKind;
  /** What to do about it, to be put after what happened. */
  readonly advice: string;
}

interface Rule extends FrameworkError {
  readonly text: RegExp;
}

/** The first that matches holds. */
const RULES: readonly Rule[] = [
  {
    text: /framework failed over/i,
    kind: 'failed-over',
    advice: 'only one scheduler may run under one framework id: stop one of the two',
  },
  {
    text: /framework has been removed|completed framework/i,
    kind: 'removed',
    advice:
      'it was torn down, or away for longer than its failover timeout, and its tasks are killed; to begin anew under ' +
      'another id, empty the state store and start again',
  },
  {
    text: /changing framework'?s principal/i,
    kind: 'invalid',
    advice: 'a framework keeps its principal for life: go back to the earlier one, or begin anew under another id',
  },
  {
    text: /not authorized|not authenticated|unauthorized/i,
    kind: 'unauthorized',
    advice:
      "allow the principal to register with these roles (register_frameworks in the master's ACLs), or use another role",
  },
  {
    text: /--roles|role whitelist/i,
    kind: 'invalid',
    advice: "add the role to the master's --roles, or use one that is there",
  },
  {
    text: /root_submissions/i,
    kind: 'invalid',
    advice: 'run the tasks as another user than root, or allow root by --root_submissions on the masters',
  },
  {
    text: /FrameworkInfo|framework ?id|\broles?\b|invalid|must (not )?be|duplicate|failover_timeout|constraint/i,
    kind: 'invalid',
    advice: 'correct the name, roles, user or other settings of the framework that the text names',
  },
];

export function frameworkErrorOf(message: string): FrameworkError {
  const rule = RULES.find(({ text }) => text.test(message));
  if (rule !== undefined) return { kind: rule.kind, advice: rule.advice };
  return { kind: 'other', advice: "look for the reason in the leading master's log" };
}

/** After these another attempt can do nothing but harm. */
export function isFinal(kind: FrameworkErrorKind): boolean {
  return kind === 'failed-over' || kind === 'removed';
}
