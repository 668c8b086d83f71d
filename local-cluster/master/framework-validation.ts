/**
 * What a FrameworkInfo must be. A violation is not an HTTP error but an ERROR event on the stream; the texts are those
 * of Mesos (src/master/validation.cpp), so that people find them.
 */
import type { FrameworkInfo } from '../../framework/mesos-http-client/messages.ts';
import { hasCapability, rolesOf } from './frameworks.ts';
import type { Credential } from './http-auth.ts';

/** Null if the framework may subscribe. */
export function validateFramework(info: FrameworkInfo, suppressedRoles: readonly string[]): string | null {
  return (
    validateRoles(info) ??
    validateFailoverTimeout(info) ??
    validateId(info) ??
    validateSuppressed(info, suppressedRoles)
  );
}

/** Who authenticated must be whom the framework says it is; null if so, or if nobody had to. */
export function strangerError(principal: string | null, info: FrameworkInfo): string | null {
  if (principal === null || principal === info.principal) return null;
  return `Authenticated principal '${principal}' does not match principal '${info.principal ?? ''}' set in \`FrameworkInfo\``;
}

/** What a principal may not do, as ERROR on the stream (ACL `register_frameworks`); null if it may. */
export function unauthorizedError(
  credentials: readonly Credential[],
  principal: string | null,
  info: FrameworkInfo,
): string | null {
  const allowed = credentials.find((credential) => credential.principal === principal)?.roles;
  const roles = rolesOf(info);
  if (allowed === undefined || roles.every((role) => allowed.includes(role))) return null;
  return `Not authorized to register framework ${info.id?.value ?? ''} with roles { ${roles.join(', ')} }`;
}

/** Null if the name is a role's. */
export function validateRole(role: string): string | null {
  if (role === '') return 'Empty role name is invalid';
  if (role === '*') return null;
  if (role.startsWith('/')) return `Role '${role}' cannot start with a slash`;
  if (role.endsWith('/')) return `Role '${role}' cannot end with a slash`;
  for (const part of role.split('/')) {
    if (part === '') return `Role '${role}' cannot contain two adjacent slashes`;
    if (part === '.' || part === '..') return `Role '${role}' cannot include '${part}' as a component`;
    if (part === '*') return `Role '${role}' cannot include '*' as a component`;
    if (part.startsWith('-')) return `Role component '${part}' is invalid because it begins with a dash`;
    if (/[\s\b]/.test(part)) return `Role component '${part}' is invalid because it contains backspace or whitespace`;
  }
  return null;
}

function validateRoles(info: FrameworkInfo): string | null {
  if (hasCapability(info, 'MULTI_ROLE')) {
    if (info.role !== undefined) return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable";
    const roles = info.roles ?? [];
    const duplicates = roles.filter((role, index) => roles.indexOf(role) !== index);
    if (duplicates.length > 0) return `'FrameworkInfo.roles' contains duplicate items: ${roles.join(', ')}`;
  } else if ((info.roles ?? []).length > 0) {
    return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable";
  }
  const field = hasCapability(info, 'MULTI_ROLE') ? "'FrameworkInfo.roles' contains" : "'FrameworkInfo.role' is";
  for (const role of rolesOf(info)) {
    const error = validateRole(role);
    if (error !== null) return `${field} invalid role: ${error}`;
  }
  return null;
}

function validateFailoverTimeout(info: FrameworkInfo): string | null {
  const seconds = info.failover_timeout ?? 0;
  // Mesos keeps durations in 64 bits of nanoseconds.
  if (Number.isFinite(seconds) && Math.abs(seconds) < 9_223_372_036) return null;
  return `The framework failover_timeout (${seconds}) is invalid: Argument out of the range that a Duration can represent`;
}

function validateId(info: FrameworkInfo): string | null {
  return info.id === undefined ? null : validateIdText(info.id.value);
}

/** What every id must be: it becomes the name of a directory. */
export function validateIdText(id: string): string | null {
  if (id === '') return 'ID must not be empty';
  if (id.length > 255) return 'ID must not be greater than 255 characters';
  if (id === '.' || id === '..') return `'${id}' is disallowed`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[/\\\x00-\x1f\x7f]/.test(id)) return `'${id}' contains invalid characters`;
  return null;
}

function validateSuppressed(info: FrameworkInfo, suppressed: readonly string[]): string | null {
  const roles = rolesOf(info);
  const stranger = suppressed.find((role) => !roles.includes(role));
  return stranger === undefined ? null : `Suppressed role '${stranger}' is not contained in the set of roles`;
}
