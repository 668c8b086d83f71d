/** An agent, for all who have to do with one. */
import type { AgentId } from './mesos-http-client/messages.ts';

/** An agent as Mesos describes it. */
export interface AgentView {
  readonly agentId: AgentId;
  readonly hostname: string;
  /** From the offer's URL or the agent's pid; never from DNS. */
  readonly ip: string;
  /** Where the agent's own API listens; null when nothing has told it since the start. */
  readonly port: number | null;
  /** True when the agent has resources reserved to `slave_public` (DC/OS' mark of a public agent). */
  readonly isPublic: boolean;
  /** Text attributes as they are; scalars, ranges and sets as Mesos prints them. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The fault domain, where the agent has one. */
  readonly region: string | null;
  readonly zone: string | null;
}
