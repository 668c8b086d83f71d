/**
 * Somebody else to ask when Marathon suddenly knows far fewer tasks than before: Mesos itself, which tells its operators
 * of every task. Answers come from what is known at the moment; nobody is asked over the network.
 */
export interface SecondLook {
  /**
   * Whether the task with this id in Mesos has ended. `unknown`: there is no view of Mesos just now, or none that
   * reaches back to this task; then Marathon's own second answer decides.
   */
  isGone(taskId: string, agentId: string): 'gone' | 'alive' | 'unknown';
}

export const NO_SECOND_LOOK: SecondLook = { isGone: () => 'unknown' };
