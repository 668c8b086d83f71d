/** The addresses of one app of Marathon: asked for while somebody observes them, by one loop for all who do. */
import type { Endpoint } from '../control/contract.ts';
import type { Unsubscribe } from '../routing/activity.ts';
import type { LeftOut, MarathonApp } from '../routing/marathon-endpoints.ts';
import { AddressVar } from './address-var.ts';
import { atFirstAddress, HostedEndpoints } from './hosted-endpoints.ts';
import type { InetAddresses } from './inet.ts';
import { type AddressesState, describeAddresses } from './namer-state.ts';
import { type PollInterval, PollLoop } from './poll-loop.ts';
import type { PollReport } from './poll-reports.ts';

export interface MarathonAppOptions {
  /** The app now, null for an answer that is none. @throws when there is no answer. */
  readonly ask: (signal: AbortSignal) => Promise<MarathonApp | null>;
  readonly inet: InetAddresses;
  readonly interval: PollInterval;
  readonly useHealthCheck: boolean;
  readonly report: PollReport;
  /** Called for the first observer; what it returns is called when the last one is gone. */
  readonly whenObserved: () => Unsubscribe;
}

export interface FollowedApp {
  readonly addresses: AddressVar;
  describe(): MarathonAppState;
}

/** For people: what is known of an app, since when, and which of its tasks cannot be reached. */
interface MarathonAppState extends AddressesState {
  readonly polls: ReturnType<PollReport['describe']>;
  readonly leftOut: readonly LeftOut[];
}

/** Once they are known, addresses are kept until an answer says something else. */
export function followApp(options: MarathonAppOptions): FollowedApp {
  const { report } = options;
  let leftOut: readonly LeftOut[] = [];
  const poll = async (signal: AbortSignal): Promise<void> => {
    try {
      const app = await report.of(signal, () => options.ask(signal));
      if (signal.aborted) return;
      leftOut = app?.leftOut ?? leftOut;
      if (app !== null) endpoints.set(endpointsOf(app, options.useHealthCheck));
      // linkerd takes an answer of another shape for an app without tasks. Where there were some, they are kept.
      else if (addresses.state.kind !== 'bound') endpoints.set([]);
    } catch (error) {
      if (!signal.aborted) addresses.failed(error instanceof Error ? error.message : String(error));
    }
  };
  const loop = new PollLoop(options.interval, poll);
  const addresses = new AddressVar(() => {
    const forget = options.whenObserved();
    const stop = loop.start();
    return () => {
      stop();
      report.close();
      endpoints.close();
      forget();
    };
  });
  const endpoints = new HostedEndpoints(options.inet, addresses, atFirstAddress);
  return {
    addresses,
    describe: () => ({ ...describeAddresses(addresses.state), polls: report.describe(), leftOut }),
  };
}

/**
 * Tasks that run. With `useHealthCheck` those only whose health checks have all passed, if the app has any; without it
 * their health says nothing, as in linkerd.
 */
function endpointsOf({ name, labels, instances }: MarathonApp, useHealthCheck: boolean): Endpoint[] {
  const used = instances.filter(
    ({ task, health }) => task === 'running' && (!useHealthCheck || health === 'unchecked' || health === 'passing'),
  );
  return used.map(({ taskId, agentId, host, address, port, ports }) => ({
    service: name,
    instance: taskId,
    address,
    port,
    ports: [...ports],
    agentId,
    agentAddress: host,
    weight: 1,
    state: 'ready',
    startedAt: null,
    labels: { ...labels },
  }));
}
