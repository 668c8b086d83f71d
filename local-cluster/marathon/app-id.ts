/** Marathon's app ids: absolute paths of DNS-like segments, and the names that are derived from them. */

const SEGMENT = '(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])';
const SEGMENT_PATTERN = new RegExp(`^${SEGMENT}$`);
/** Sub-resources of an app in the API: an app with such a name could not be reached. */
const RESERVED = ['restart', 'tasks', 'versions', '.', '..'];

/** `team/api/` → `/team/api`. Ids in the API may come without their leading slash. */
export function canonicalAppId(text: string): string {
  return `/${text
    .split('/')
    .filter((segment) => segment !== '')
    .join('/')}`;
}

/** What Marathon finds wrong with a canonical id, or null. */
export function appIdFault(id: string): string | null {
  const segments = id.split('/').slice(1);
  const last = segments.at(-1);
  if (last === undefined || last === '') return 'must not be empty';
  if (RESERVED.includes(last))
    return `must not end with any of the following reserved keywords: ${RESERVED.join(', ')}`;
  return segments.every((segment) => SEGMENT_PATTERN.test(segment))
    ? null
    : `must fully match regular expression '^${SEGMENT}|(\\.|\\.\\.)$'`;
}

/** `/team/api` → `team_api`: the front of its instances' ids. */
export function instancePrefix(id: string): string {
  return id.slice(1).replaceAll('/', '_');
}

/** `/team/api` → `api.team`: the name of its tasks in Mesos, and in Mesos-DNS. */
export function mesosName(id: string): string {
  return id.slice(1).split('/').reverse().join('.');
}
