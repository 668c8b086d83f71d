/** Which pages of the admin server a configuration serves: linkerd's `security` block. Pure. */

export interface AdminSecurity {
  /** The pages that a dashboard is made of. */
  readonly uiEnabled: boolean;
  /** Shutting down, and changing log levels. */
  readonly controlEnabled: boolean;
  /** All others: ping and metrics for collectors among them. */
  readonly diagnosticsEnabled: boolean;
  /** Regular expressions of whole paths that are served though their kind is off. */
  readonly pathWhitelist: readonly string[];
  /** Whole paths that are never served. Stronger than the whitelist. */
  readonly pathBlacklist: readonly string[];
}

const UI = [
  /^\/$/,
  /^\/files\/.*$/,
  /^\/admin\/files\/.*$/,
  /^\/config\.json$/,
  /^\/metrics\.json$/,
  /^\/admin\/metrics(\.json)?$/,
  /^\/delegator(\.json)?$/,
  /^\/logging$/,
  /^\/help$/,
];
const CONTROL = [/^\/admin\/shutdown$/, /^\/logging\.json$/];

/** Says of a path without its query whether it is served; one that is not does not exist for the client. */
export function pathFilter(security: AdminSecurity): (path: string) => boolean {
  const whitelist = security.pathWhitelist.map(wholePath);
  const blacklist = security.pathBlacklist.map(wholePath);
  return (path) => {
    if (matches(blacklist, path)) return false;
    if (matches(whitelist, path)) return true;
    if (matches(UI, path)) return security.uiEnabled;
    if (matches(CONTROL, path)) return security.controlEnabled;
    return security.diagnosticsEnabled;
  };
}

function wholePath(source: string): RegExp {
  return new RegExp(`^(?:${source})$`);
}

function matches(patterns: readonly RegExp[], path: string): boolean {
  return patterns.some((pattern) => pattern.test(path));
}
