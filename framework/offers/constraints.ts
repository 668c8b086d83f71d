/**
 * Which agents get a task at all, in Marathon's words: `rack:LIKE:r[1-3]`, `@zone:IS:z2`, `@public:IS:false`,
 * `rack:UNIQUE`. What the operators mean: Marathon's constraints documentation; expressions match the whole value, as
 * Java's `matches` does there.
 */
import type { AgentView } from '../agent.ts';

/** Decided by the agent alone. */
const ALONE = ['IS', 'CLUSTER', 'LIKE', 'UNLIKE'] as const;
/** Decided by how many agents with the same value have a task already. */
const COUNTED = ['UNIQUE', 'MAX_PER'] as const;

export type Constraint =
  | { readonly field: string; readonly operator: 'IS'; readonly value: string }
  | { readonly field: string; readonly operator: 'LIKE' | 'UNLIKE'; readonly value: string; readonly pattern: RegExp }
  | { readonly field: string; readonly operator: 'AT_MOST'; readonly most: number };

/** @throws {Error} one sentence on what is wrong with `text`. */
export function parseConstraint(text: string): Constraint {
  const [field = '', operator = '', ...rest] = text.split(':');
  const value = rest.length === 0 ? null : rest.join(':');
  if (field === '' || operator === '') throw new Error(`'${text}' is not FIELD:OPERATOR or FIELD:OPERATOR:VALUE`);
  switch (operator) {
    case 'UNIQUE':
      if (value !== null) throw new Error(`'${text}': UNIQUE takes no value`);
      return { field: normal(field), operator: 'AT_MOST', most: 1 };
    case 'MAX_PER': {
      const most = Number(value);
      if (value === null || !Number.isInteger(most) || most < 1) {
        throw new Error(`'${text}': MAX_PER takes a whole number from 1 on`);
      }
      return { field: normal(field), operator: 'AT_MOST', most };
    }
    case 'IS':
    case 'CLUSTER':
      // Without a value Marathon takes the one of the first instance, whichever agent that is: every agent would be as right.
      if (value === null) throw new Error(`'${text}': ${operator} needs a value here`);
      return { field: normal(field), operator: 'IS', value };
    case 'LIKE':
    case 'UNLIKE':
      if (value === null) throw new Error(`'${text}': ${operator} needs an expression`);
      return { field: normal(field), operator, value, pattern: wholly(text, value) };
    case 'GROUP_BY':
      throw new Error(
        `'${text}': GROUP_BY spreads a number of instances, and there is one on every agent: use MAX_PER`,
      );
    default:
      throw new Error(`'${text}': there is no operator ${operator}; there are ${[...ALONE, ...COUNTED].join(', ')}`);
  }
}

/** Why the agent alone does not match, as a clause; null if it does. Counted constraints are not looked at. */
export function mismatch(constraints: readonly Constraint[], agent: AgentView): string | null {
  for (const constraint of constraints) {
    const has = fieldOf(constraint.field, agent);
    switch (constraint.operator) {
      case 'IS':
        if (has === null || !isSame(has, constraint.value))
          return clause(constraint.field, has, `is not ${constraint.value}`);
        break;
      case 'LIKE':
        if (has === null || !constraint.pattern.test(has)) {
          return clause(constraint.field, has, `is not like ${constraint.value}`);
        }
        break;
      case 'UNLIKE':
        if (has !== null && constraint.pattern.test(has))
          return clause(constraint.field, has, `is like ${constraint.value}`);
        break;
      case 'AT_MOST':
        if (has === null) return clause(constraint.field, has, 'is counted');
        break;
    }
  }
  return null;
}

/** Of a counted constraint: what the agent is counted under, and how many may be. */
export interface Count {
  readonly key: string;
  readonly most: number;
  /** Why an agent is left out when the count is full, as a clause. */
  readonly full: string;
}

export function countsOf(constraints: readonly Constraint[], agent: AgentView): Count[] {
  return constraints.flatMap((constraint, index) => {
    if (constraint.operator !== 'AT_MOST') return [];
    const value = fieldOf(constraint.field, agent);
    if (value === null) return [];
    const others = constraint.most === 1 ? 'another agent has' : `${constraint.most} other agents have`;
    return [
      {
        key: `${index} ${value}`,
        most: constraint.most,
        full: `${others} the task for ${constraint.field} ${value}`,
      },
    ];
  });
}

function fieldOf(field: string, agent: AgentView): string | null {
  switch (field) {
    case '@hostname':
      return agent.hostname;
    case '@region':
      return agent.region;
    case '@zone':
      return agent.zone;
    case '@public':
      return String(agent.isPublic);
    default:
      return agent.attributes[field] ?? null;
  }
}

/** Marathon takes `hostname` and `@hostname`. */
const normal = (field: string): string => (field === 'hostname' ? '@hostname' : field);

/** Scalars are compared as numbers: `4` is `4.0`. */
function isSame(has: string, wanted: string): boolean {
  if (has === wanted) return true;
  return has !== '' && wanted !== '' && Number(has) === Number(wanted);
}

function wholly(text: string, expression: string): RegExp {
  try {
    return new RegExp(`^(?:${expression})$`);
  } catch (error) {
    throw new Error(`'${text}': ${error instanceof Error ? error.message : String(error)}`);
  }
}

function clause(field: string, has: string | null, verb: string): string {
  return has === null ? `the agent has no ${field}, which ${verb}` : `${field} ${has} ${verb}`;
}
