/** A master with virtual time, and what tests put around it. */
import { Master, type MasterOptions } from '../../../../local-cluster/master/master.ts';
import { describeAgent, StandInAgent } from './stand-in-agent.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface Lab {
  readonly clock: VirtualClock;
  readonly master: Master;
  readonly agents: StandInAgent[];
}

export async function lab(agents = 1, over: Partial<MasterOptions> = {}): Promise<Lab> {
  const clock = new VirtualClock();
  const master = newMaster(clock, over);
  const joined = Array.from({ length: agents }, (_, index) =>
    new StandInAgent(clock, describeAgent(`127.0.31.${index + 1}`)).join(master),
  );
  await clock.advance(0);
  return { clock, master, agents: joined };
}

export function newMaster(clock: VirtualClock, over: Partial<MasterOptions> = {}): Master {
  return new Master({ ip: '127.0.31.250', port: 5050, agentPingTimeoutMs: 3000, clock, ...over });
}
