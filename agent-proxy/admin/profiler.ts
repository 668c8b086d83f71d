/** CPU profiles of this process, one at a time, as the `.cpuprofile` that browsers' developer tools read. */
import { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export const MAX_PROFILE_SECONDS = 60;

export class Profiler {
  private isBusy = false;

  /** Null while another profile is taken. Requests are slower meanwhile. */
  async profile(seconds: number): Promise<string | null> {
    if (this.isBusy) return null;
    this.isBusy = true;
    const session = new Session();
    try {
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await sleep(seconds * 1_000);
      const { profile } = await session.post('Profiler.stop');
      return JSON.stringify(profile);
    } finally {
      session.disconnect();
      this.isBusy = false;
    }
  }
}
