/** A node as the API shows it: what the framework knows of it, and what its proxy says. */
import type { NodeStatus } from '../framework/index.ts';
import type { SessionView } from './distribution/session-view.ts';

export interface NodeView {
  readonly status: NodeStatus;
  readonly session: SessionView | undefined;
}
