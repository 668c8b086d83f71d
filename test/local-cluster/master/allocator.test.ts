import { describe, expect, it } from 'vitest';
import { agentId, frameworkId } from '../../../framework/mesos-http-client/messages.ts';
import { allocateRound, type Candidate } from '../../../local-cluster/master/allocator.ts';
import { resources } from '../../../local-cluster/master/resources.ts';
import { scalar } from './support/stand-in-agent.ts';

const machine = (cpus: number, mem: number) => resources([scalar('cpus', cpus), scalar('mem', mem)]);

function candidate(name: string, role: string, holds = machine(0, 0)): Candidate {
  return { frameworkId: frameworkId(name), role, refined: true, gpus: false, holds };
}

function winner(candidates: Candidate[], free = machine(1, 1000)): string | undefined {
  return allocateRound({
    candidates,
    agents: [{ id: agentId('a'), free }],
    clusterTotal: machine(10, 10_000),
    blocked: () => false,
  })[0]?.frameworkId;
}

describe('the allocator', () => {
  it('asks first which role is poorest, then which framework of it', () => {
    const rich = candidate('rich', 'a', machine(5, 100));
    const idle = candidate('idle', 'a');
    const modest = candidate('modest', 'b', machine(1, 100));
    expect(winner([rich, idle, modest])).toBe('modest');
    expect(winner([rich, idle])).toBe('idle');
  });

  it('counts the dominant share: much memory is much', () => {
    expect(winner([candidate('mem', 'a', machine(0.1, 5000)), candidate('cpu', 'b', machine(3, 100))])).toBe('cpu');
  });

  it('offers no crumbs: 0.01 cpus or 32 MB at least', () => {
    expect(winner([candidate('f', 'a')], machine(0.005, 31))).toBeUndefined();
    expect(winner([candidate('f', 'a')], machine(0.01, 0))).toBe('f');
    expect(winner([candidate('f', 'a')], machine(0, 32))).toBe('f');
  });

  it('keeps agents with GPUs from frameworks that did not ask for them', () => {
    const free = resources([scalar('cpus', 1), scalar('gpus', 1)]);
    expect(winner([candidate('f', 'a')], free)).toBeUndefined();
    expect(winner([{ ...candidate('f', 'a'), gpus: true }], free)).toBe('f');
  });

  it('shows refined reservations only to those who understand them, and to roles below', () => {
    const stack = [
      { type: 'STATIC' as const, role: 'slave_public' },
      { type: 'DYNAMIC' as const, role: 'slave_public/web', principal: 'p' },
    ];
    const free = resources([scalar('cpus', 1, { reservations: stack })]);
    expect(winner([candidate('f', 'slave_public/web')], free)).toBe('f');
    expect(winner([candidate('f', 'slave_public/web/a')], free)).toBe('f');
    expect(winner([candidate('f', 'slave_public')], free)).toBeUndefined();
    expect(winner([{ ...candidate('f', 'slave_public/web'), refined: false }], free)).toBeUndefined();
  });
});
