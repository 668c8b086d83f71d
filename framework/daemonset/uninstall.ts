/** Uninstall: every task killed, everything given back, the framework removed; each step is the state, so it goes on after a crash. */
import { release } from '../offers/release.ts';
import type { Step } from './effects.ts';
import { placeNode } from './membership.ts';
import { removeNode } from './nodes.ts';
import type { Node } from './state.ts';

/** Tasks that nobody has told of yet are heard of within so long after a subscription. */
const LISTEN_MS = 5_000;

export function beginUninstall(step: Step): void {
  const { state } = step;
  if (state.mode === 'gone') return step.act({ type: 'uninstalled' });
  state.mode = 'uninstall';
  state.frozen = false;
  step.persistFramework();
  step.log('info', 'everything is being uninstalled', { nodes: state.nodes.size });
  for (const node of state.nodes.values()) placeNode(step, node);
  // Without an id there is nothing at any master.
  if (state.frameworkId === null) {
    state.mode = 'gone';
    step.act({ type: 'uninstalled' });
  }
}

/** At the end of each step: is everything gone? */
export function tearDownIfClean(step: Step): void {
  const { state } = step;
  if (state.mode !== 'uninstall' || !state.subscribed) return;
  if (state.unclean.size > 0) {
    // Something came to light while it listened.
    state.tearDownAt = null;
    return;
  }
  const listenUntil = state.subscribedAt + LISTEN_MS;
  if (step.now < listenUntil) {
    state.tearDownAt = listenUntil;
    return;
  }
  if (state.tearDownAt !== null && step.now < state.tearDownAt) return;
  // Said again until the master has taken it.
  state.tearDownAt = step.now + LISTEN_MS;
  step.call({ type: 'TEARDOWN' });
}

/** The master has taken the TEARDOWN: the id is dead. */
export function tornDown(step: Step): void {
  const { state } = step;
  if (state.mode !== 'uninstall') return;
  state.mode = 'gone';
  state.tearDownAt = null;
  for (const node of [...state.nodes.values()]) removeNode(step, node, 'everything is uninstalled');
  step.persistFramework();
  step.log('info', 'everything is uninstalled', {});
  step.act({ type: 'uninstalled' });
}

/** The node's task ended, or what was held for it is free: go on. */
export function goOnUninstalling(step: Step, node: Node): void {
  if (!node.placed.wanted && node.task === null) release(step, node);
}
