/** Where Marathon ran a linkerd: its constraints and roles, in the words of the package's options. */
import { parseConstraint } from '../../framework/index.ts';
import type { Draft } from './draft.ts';

export function moveConstraints(value: unknown, place: string, draft: Draft): void {
  const kept: string[] = [];
  for (const [index, constraint] of (Array.isArray(value) ? value : [value]).entries()) {
    const own = `${place}[${index}]`;
    const words = Array.isArray(constraint) ? constraint.map(String) : [];
    const [field = '', operator = ''] = words;
    const isPerAgent =
      /^@?hostname$/.test(field) && (operator === 'UNIQUE' || (operator === 'MAX_PER' && words[2] === '1'));
    if (isPerAgent) {
      draft.changed(own, constraint, 'one on every agent', 'that is what the scheduler does, and on all of them');
      continue;
    }
    const text = words.join(':');
    try {
      parseConstraint(text);
    } catch (error) {
      draft.notUnderstood(own, constraint, error instanceof Error ? error.message : String(error));
      continue;
    }
    kept.push(text);
    draft.taken(own, constraint, `proxies.constraints: ${text}`);
  }
  addConstraints(kept, draft);
}

export function moveRoles(value: unknown, place: string, draft: Draft): void {
  const roles = Array.isArray(value) ? value.map(String) : [];
  const isPublic = roles.includes('slave_public');
  const others = roles.filter((role) => role !== '*' && role !== 'slave_public');
  draft.set('proxies.public_agents', isPublic);
  draft.taken(place, value, `proxies.public_agents: ${isPublic}`);
  if (isPublic) tellPublicListeners(`${place} (listeners)`, draft);
  if (isPublic && !roles.includes('*')) {
    addConstraints(['@public:IS:true'], draft);
    draft.taken(`${place} (public agents alone)`, value, 'proxies.constraints: @public:IS:true');
  }
  if (others.length > 0) {
    draft.notUnderstood(
      `${place} (${others.join(', ')})`,
      others,
      'proxies take resources of their own role, of * and of mesos.public_role',
    );
  }
}

/** linkerds elsewhere call the incoming router of a public agent as they do any other. */
export function tellPublicListeners(place: string, draft: Draft): void {
  draft.set('proxies.public_listeners', 'all');
  draft.taken(
    place,
    'on every address',
    'proxies.public_listeners: all',
    'linkerds that are still there call port 4141 of public agents too. Set it to edge, the default, when none is left: a public agent is reached from the internet',
  );
}

function addConstraints(constraints: readonly string[], draft: Draft): void {
  const before = draft.get('proxies.constraints');
  if (constraints.length > 0)
    draft.set('proxies.constraints', [...(Array.isArray(before) ? before : []), ...constraints]);
}
