/** What the kernel tells about processes and CPUs, and who runs where. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { assignCores, parseCpuList } from './cores.mjs';
import { parseBusy } from './measure/core.mjs';
import { cpuNanoseconds, parseSchedstat } from './measure/cpu.mjs';
import { processTree } from './measure/process-tree.mjs';
import { parsePss, pssMegabytes } from './measure/pss.mjs';

it('CPU time is the first figure of schedstat, in nanoseconds', () => {
  expect(parseSchedstat('4281235305 1431417 29\n')).toBe(4_281_235_305);
});

it('memory is the line Pss, and not those that begin like it', () => {
  expect(parsePss('Rss: 1708 kB\nPss:                 350 kB\nPss_Dirty:           112 kB\n')).toBe(350);
  expect(parsePss('')).toBe(0);
});

it('a CPU is busy with all that is neither idle nor waiting', () => {
  const stat = 'cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 3 100 50 4 5 6 0 0\ncpu10 7 0 0 0 0 0 0 0 0 0\n';
  expect(parseBusy(stat, 0)).toBeCloseTo(0.21);
  expect(parseBusy(stat, 10)).toBeCloseTo(0.07);
});

it('a process, its time and its memory count with those of its children', async () => {
  const program = `require('node:child_process').spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: 'inherit' })
    .once('spawn', () => console.log('ready'));`;
  const parent = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(parent, 'close');
  try {
    await once(parent.stdout, 'data');
    const pid = parent.pid ?? 0;
    const tree = processTree(pid);
    expect(tree).toHaveLength(2);
    expect(tree[0]).toBe(pid);
    expect(cpuNanoseconds(tree)).toBeGreaterThan(cpuNanoseconds([pid]));
    expect(pssMegabytes(tree)).toBeGreaterThan(pssMegabytes([pid]));
  } finally {
    parent.stdin.end();
    await closed;
  }
});

it('a process that has ended has no time, no memory and no children', async () => {
  const child = spawn('true');
  await once(child, 'close');
  const pid = child.pid ?? 0;
  expect([cpuNanoseconds([pid]), pssMegabytes([pid]), processTree(pid)]).toEqual([0, 0, [pid]]);
});

it('the proxy has a CPU for itself where there are two, and the backend another where there are three', () => {
  expect(assignCores([0, 1])).toEqual({ clients: 0, proxy: 1, backend: 0 });
  expect(assignCores([4, 5, 6, 7])).toEqual({ clients: 4, proxy: 5, backend: 6 });
  expect(assignCores([3])).toEqual({ clients: 3, proxy: 3, backend: 3 });
});

it("CPUs are read from the kernel's list", () => {
  expect(parseCpuList('0-2,5')).toEqual([0, 1, 2, 5]);
  expect(parseCpuList('7')).toEqual([7]);
});
