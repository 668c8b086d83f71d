/** All that a Marathon knows, in one place for the parts that work on it. */
import { AppStore } from './app-store.ts';
import { Deployments } from './deployments.ts';
import { EventBus } from './events.ts';
import { InstanceTracker } from './instance-tracker.ts';
import { LaunchQueue } from './launch-queue.ts';
import type { Random, Timers } from './timers.ts';

export interface MarathonState {
  readonly timers: Timers;
  readonly random: Random;
  readonly newId: () => string;
  readonly bus: EventBus;
  readonly store: AppStore;
  readonly tracker: InstanceTracker;
  readonly queue: LaunchQueue;
  readonly deployments: Deployments;
}

export function createState(timers: Timers, random: Random, newId: () => string): MarathonState {
  const bus = new EventBus(() => timers.now());
  return {
    timers,
    random,
    newId,
    bus,
    store: new AppStore(),
    tracker: new InstanceTracker(),
    queue: new LaunchQueue(),
    deployments: new Deployments(bus),
  };
}
