/**
 * What the cluster refuses: 401 and 403 of Mesos, Marathon and the IAM, each until the same is allowed, with the grants that
 * are missing. `/v1/health` shows it, the log tells it once.
 */
import { type Authorization, UnauthorizedError } from '../../framework/mesos-http-client/auth/authorization.ts';
import { type Account, type Grant, grantCommand, grantsOf, marathonName, type Need } from './grants.ts';

export interface Refusal {
  /** `mesos SUBSCRIBE`, `marathon GET /v2/events`, `iam login`. */
  readonly what: string;
  /** What happened and what to do, in one sentence. */
  readonly text: string;
  /** Commands that grant what may be missing; none where the cluster is not DC/OS, or it is not a matter of grants. */
  readonly grants: readonly string[];
  /** Unix time, milliseconds. */
  readonly since: number;
}

export interface RefusalsOptions {
  /** Null where the scheduler has no account of DC/OS: then Mesos' own ACLs count. */
  readonly account: Account | null;
  readonly logger: { warn(fields: object, message: string): void; info(fields: object, message: string): void };
  readonly now: () => number;
}

/** One a kind of request, so there are never more. */
const MAX_REFUSALS = 50;

export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #all = new Map<string, Refusal>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  list(): Refusal[] {
    return [...this.#all.values()];
  }

  /** `call`: a call of Mesos, `LAUNCH` for a task that may not run as its user, `VIEW` for the operator stream. */
  mesos(call: string, reason: string | null): void {
    this.#note(`mesos ${call}`, reason, mesosNeeds(call), reason ?? '');
  }

  marathon(url: string, path: string, status: number): void {
    const what = `marathon ${pathKind(path)}`;
    if (status >= 200 && status < 300) return this.#allowed(what);
    if (status === 401) return this.#note(what, `Marathon at ${url} does not take the login (401)`, [], '');
    if (status !== 403) return;
    const needs: Need[] = path.startsWith('/v2/events') ? ['marathon-events'] : ['marathon-apps'];
    this.#note(
      what,
      `Marathon at ${url} answered 403 to GET ${pathKind(path)}`,
      [...needs, 'marathon-way'],
      marathonName(url),
    );
  }

  /** The same login; each answer of the IAM is noted. */
  watching(authorization: Authorization): Authorization {
    const watched = async (answer: Promise<string | null>): Promise<string | null> => {
      try {
        const header = await answer;
        this.#allowed('iam login');
        return header;
      } catch (error) {
        if (error instanceof UnauthorizedError || (error instanceof Error && / answered 403 /.test(error.message))) {
          this.#note('iam login', error.message, [], '');
        }
        throw error;
      }
    };
    return {
      principal: authorization.principal,
      header: () => watched(authorization.header()),
      renewed: (refused) => watched(authorization.renewed(refused)),
    };
  }

  #note(what: string, reason: string | null, needs: readonly Need[], named: string): void {
    if (reason === null) return this.#allowed(what);
    const grants = this.#missing(needs, named);
    const advice = grants.length === 0 ? '' : `; it may be that this is not granted: ${grants.join(' ; ')}`;
    const text = `${what} is refused: ${reason}${advice}`;
    const before = this.#all.get(what);
    if (before?.text === text) return;
    if (before === undefined && this.#all.size >= MAX_REFUSALS) return;
    this.#all.set(what, { what, text, grants, since: before?.since ?? this.#options.now() });
    this.#options.logger.warn({ what, reason, grants }, 'the cluster refuses what the scheduler asks for');
  }

  #allowed(what: string): void {
    if (this.#all.delete(what)) this.#options.logger.info({ what }, 'the cluster allows it (again)');
  }

  /** Of a text that names a role or a user, those with it. */
  #missing(needs: readonly Need[], named: string): string[] {
    const { account } = this.#options;
    if (account === null) return [];
    const grants = grantsOf(account).filter(({ need }) => needs.includes(need));
    const meant = grants.filter(({ resource }) => isNamed(resource, named));
    return (meant.length === 0 ? grants : meant).map((grant: Grant) => grantCommand(account.uid, grant));
  }
}

function isNamed(resource: string, text: string): boolean {
  const name = resource.split(':').at(-1) ?? '';
  if (resource.includes('marathon:')) return resource.split(':').includes(text);
  return text.includes(`'${name}'`);
}

function mesosNeeds(call: string): readonly Need[] {
  switch (call) {
    case 'SUBSCRIBE':
    case 'UPDATE_FRAMEWORK':
      return ['register'];
    case 'LAUNCH':
      return ['run'];
    case 'ACCEPT':
    case 'RESERVE':
      return ['reserve', 'unreserve', 'run'];
    default:
      return ['view'];
  }
}

/** Without the id of one app: there are many. */
function pathKind(path: string): string {
  return /^\/v2\/\w+/.exec(path)?.[0] ?? path;
}
