/**
 * A digest of a table of services and agents that scheduler and proxy both keep up to date for the price of what
 * changed: the XOR of one hash an entry, so order does not matter and an update is two XORs.
 */
import { createHash } from 'node:crypto';
import type { PeerAgent, Service } from '../control/contract.ts';

export class TableDigest {
  private readonly entries = new Map<string, bigint>();
  private sum = 0n;

  setService(service: Service): void {
    const endpoints = [...service.endpoints].sort((a, b) => (a.instance < b.instance ? -1 : 1));
    this.set(`service ${service.name}`, JSON.stringify(canonical({ name: service.name, endpoints })));
  }

  removeService(name: string): void {
    this.remove(`service ${name}`);
  }

  setAgent(agent: PeerAgent): void {
    this.set(`agent ${agent.agentId}`, JSON.stringify(canonical(agent)));
  }

  removeAgent(agentId: string): void {
    this.remove(`agent ${agentId}`);
  }

  clear(): void {
    this.entries.clear();
    this.sum = 0n;
  }

  /** 16 hexadecimal digits. */
  value(): string {
    return this.sum.toString(16).padStart(16, '0');
  }

  private set(key: string, text: string): void {
    const hash = createHash('sha256').update(key).update('\n').update(text).digest().readBigUInt64BE(0);
    this.sum ^= (this.entries.get(key) ?? 0n) ^ hash;
    this.entries.set(key, hash);
  }

  private remove(key: string): void {
    this.sum ^= this.entries.get(key) ?? 0n;
    this.entries.delete(key);
  }
}

/** The same value with its keys in order at every depth, so that equal values give equal text. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  const sorted: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort()) sorted[key] = canonical((value as Record<string, unknown>)[key]);
  return sorted;
}
