/** Which ports and how much memory all agents have. */
import { expect, test } from 'vitest';
import type { Resource } from '../../framework/mesos-http-client/messages.ts';
import { type AgentRow, commonPorts, leastMemory } from './mesos.ts';

type Reserved = Pick<Resource, 'role' | 'reservation' | 'reservations'>;

const ports = (begin: number, end: number, reserved: Reserved = {}): Resource => ({
  ...{ name: 'ports', type: 'RANGES', ranges: { range: [{ begin, end }] } },
  ...reserved,
});
const mem = (value: number): Resource => ({ name: 'mem', type: 'SCALAR', scalar: { value } });
const agent = (resources: Resource[], allocated: Resource[] = []): AgentRow => ({
  ...{ id: 'a', ip: '127.0.0.1', resources, allocated },
});

test('the last three that all have', () => {
  expect(commonPorts([agent([ports(31000, 31999)])])).toEqual({ out: 31997, in: 31998, admin: 31999 });
  const others = agent([ports(4000, 4010), ports(31000, 31500)]);
  expect(commonPorts([agent([ports(31000, 31999)]), others])).toEqual({ out: 31498, in: 31499, admin: 31500 });
  expect(commonPorts([agent([ports(31000, 31001)])])).toBeNull();
  expect(commonPorts([agent([ports(1, 10)]), agent([ports(11, 20)])])).toBeNull();
  expect(commonPorts([])).toBeNull();
});

test('none that a task has, or that is held for a framework; those of public agents are held for all', () => {
  const all = ports(31000, 31009);
  expect(commonPorts([agent([all], [ports(31005, 31009)])])).toEqual({ out: 31002, in: 31003, admin: 31004 });
  const dynamic = { type: 'DYNAMIC' as const, role: 'slave_public' };
  expect(commonPorts([agent([ports(31000, 31003), ports(31004, 31009, { reservations: [dynamic] })])])?.admin).toBe(
    31003,
  );
  expect(commonPorts([agent([ports(31000, 31003), ports(31004, 31009, { role: 'r', reservation: {} })])])?.admin).toBe(
    31003,
  );
  expect(commonPorts([agent([ports(31000, 31009, { role: 'other' })])])).toBeNull();
  expect(commonPorts([agent([ports(31000, 31009, { role: 'slave_public' })])])?.admin).toBe(31009);
});

test('the least memory that is free', () => {
  expect(leastMemory([agent([mem(1024)], [mem(32)]), agent([mem(2000), mem(1000)])])).toBe(992);
});
