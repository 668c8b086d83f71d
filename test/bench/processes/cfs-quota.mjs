/** A control group whose processes get so many CPUs and no more, where this machine lets us make one. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PERIOD_US = 100_000;
const VERSION_1 = '/sys/fs/cgroup/cpu';
const VERSION_2 = '/sys/fs/cgroup';
const REMOVAL_TRIES = 50;

export class CfsQuota {
  /** @param {string} folder */
  constructor(folder) {
    /** @readonly */
    this.folder = folder;
  }

  /**
   * @param {number} cpus
   * @returns {{ kind: 'open', quota: CfsQuota } | { kind: 'impossible', why: string }}
   */
  static open(cpus) {
    const isVersion1 = existsSync(join(VERSION_1, 'cpu.cfs_quota_us'));
    const folder = join(isVersion1 ? VERSION_1 : VERSION_2, `nodemesh-bench-${process.pid}`);
    const quotaUs = Math.round(cpus * PERIOD_US);
    try {
      if (!isVersion1 && !readFileSync(join(VERSION_2, 'cgroup.subtree_control'), 'utf8').includes('cpu')) {
        return { kind: 'impossible', why: 'the CPU controller is not enabled for control groups of this machine' };
      }
      mkdirSync(folder);
      if (isVersion1) {
        writeFileSync(join(folder, 'cpu.cfs_period_us'), String(PERIOD_US));
        writeFileSync(join(folder, 'cpu.cfs_quota_us'), String(quotaUs));
      } else {
        writeFileSync(join(folder, 'cpu.max'), `${quotaUs} ${PERIOD_US}`);
      }
      return { kind: 'open', quota: new CfsQuota(folder) };
    } catch (error) {
      if (existsSync(folder)) rmdirSync(folder);
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: 'impossible', why: `this machine lets us make no control group with a CPU quota (${reason})` };
    }
  }

  /** @param {number} pid */
  add(pid) {
    writeFileSync(join(this.folder, 'cgroup.procs'), String(pid));
  }

  /** @returns {Promise<void>} once its processes, which have been told to end, are gone */
  async close() {
    for (let left = REMOVAL_TRIES; ; left -= 1) {
      try {
        rmdirSync(this.folder);
        return;
      } catch (error) {
        if (left === 0 || !(error instanceof Error && 'code' in error && error.code === 'EBUSY')) throw error;
        await sleep(20);
      }
    }
  }
}
