/**
 * By what the scheduler knows a proxy. A task is launched with a token and `expected` in its agent's record; its proxy enrols
 * with the token, and the hash of its key takes the place of `expected`, for this leader and every later one. What is kept is
 * no use to who reads it, and neither is the token once it was used.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Enroll } from '../agent-proxy/control/contract.ts';
import { announceProof, sha256Of } from '../agent-proxy/control/enrolment.ts';
import { type Framework, type NodeStatus, taskId as taskIdOf } from '../framework/index.ts';
import { isLoopback } from './loopback.ts';

/** In the record of a task whose proxy has not enrolled yet. */
export const EXPECTED = 'expected';
const KNOWN = /^sha256:([0-9a-f]{64})$/;

/** Good for one enrolment of one task. */
export function tokenOf(launchKey: string, taskId: string): string {
  return createHmac('sha256', launchKey).update(`enroll ${taskId}`).digest('base64url');
}

export type EnrolOutcome = 'enrolled' | 'wrong-token' | 'no-task' | 'other-key' | 'unavailable';

/** Who a request says that it is from. */
export interface Claim {
  readonly agentId: string;
  readonly taskId: string;
}

export interface ProxyKeysOptions {
  readonly framework: Pick<Framework, 'credential' | 'keepCredential'>;
  /** What the framework says of an agent. */
  node(agentId: string): Pick<NodeStatus, 'taskId'> | undefined;
  readonly launchKey: string;
  readonly clusterKey: string;
  /** Who has no token need not prove himself then. */
  readonly onLoopback: boolean;
  readonly logger: { warn(fields: object, message: string): void; info(fields: object, message: string): void };
}

export class ProxyKeys {
  readonly #options: ProxyKeysOptions;

  constructor(options: ProxyKeysOptions) {
    this.#options = options;
  }

  /** Takes the hash of a proxy's key, once for each task; durable when it says `enrolled`. */
  async enrol({ agentId, taskId, token, keySha256 }: Enroll): Promise<EnrolOutcome> {
    const { framework, launchKey, logger } = this.#options;
    const who = { agentId, taskId };
    if (!isSame(token, tokenOf(launchKey, taskId))) return 'wrong-token';
    const id = taskIdOf(taskId);
    const before = framework.credential(id);
    if (before === undefined || !this.#isTaskOf(who)) return 'no-task';
    const credential = `sha256:${keySha256}`;
    if (before !== null && before !== EXPECTED && before !== credential) return this.#another(who);
    // The same again too: the first may be on its way to the store yet.
    const { kind } = await framework.keepCredential(id, credential, before);
    if (kind === 'done') logger.info(who, 'a proxy has enrolled');
    if (kind === 'done' || kind === 'already') return 'enrolled';
    if (kind === 'not-found') return 'no-task';
    const now = framework.credential(id);
    return typeof now === 'string' && now !== EXPECTED ? this.#another(who) : 'unavailable';
  }

  /** Whether this secret proves the claim. */
  admits(claim: Claim, bearer: string | null): boolean {
    const { framework, node } = this.#options;
    const holder = node(claim.agentId)?.taskId ?? null;
    const ofAgent = holder === null ? null : (framework.credential(holder) ?? null);
    const ofTask = framework.credential(taskIdOf(claim.taskId)) ?? null;
    // Neither for an agent nor as a task whose proxy has a key may anybody else speak.
    if ((ofAgent !== null || ofTask !== null) && holder !== claim.taskId) return false;
    return this.#proves(ofTask, bearer);
  }

  /** The same before the body was read, from what stands in front of it: refuses what cannot be admitted. */
  mayBeAdmitted(taskId: string | null, bearer: string | null): boolean {
    const kept = taskId === null ? null : this.#options.framework.credential(taskIdOf(taskId));
    return this.#proves(kept ?? null, bearer);
  }

  /** What proves this scheduler to a proxy, as `Authorization` of this body; null for nothing. */
  announceAuthorization({ taskId, ip }: { readonly taskId: string; readonly ip: string }, body: string): string | null {
    const { framework, launchKey, clusterKey } = this.#options;
    const kept = framework.credential(taskIdOf(taskId)) ?? null;
    if (kept !== null) return announceProof(hashIn(kept) ?? sha256Of(tokenOf(launchKey, taskId)), body);
    // On loopback nobody asks for the key, and any process could listen on the port: it stays here.
    return isLoopback(ip) ? null : `Bearer ${clusterKey}`;
  }

  #proves(kept: string | null, bearer: string | null): boolean {
    const { clusterKey, onLoopback } = this.#options;
    if (kept === null) return onLoopback || (bearer !== null && isSame(bearer, clusterKey));
    const hash = hashIn(kept);
    return hash !== null && bearer !== null && isSame(sha256Of(bearer), hash);
  }

  #isTaskOf({ agentId, taskId }: Claim): boolean {
    return this.#options.node(agentId)?.taskId === taskId;
  }

  #another(who: Claim): 'other-key' {
    this.#options.logger.warn(
      who,
      'somebody has the token of a proxy that has enrolled already, and another key: it is refused; find out who reads the environment of its task',
    );
    return 'other-key';
  }
}

function hashIn(credential: string): string | null {
  return KNOWN.exec(credential)?.[1] ?? null;
}

/** In constant time, whatever the lengths. */
export function isSame(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
