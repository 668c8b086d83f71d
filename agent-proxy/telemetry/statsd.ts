/**
 * The telemeter `io.l5d.statsd`: sends all figures by UDP, once in an interval. linkerd sends a sample of the events
 * themselves; here nothing happens on a request's path, and counts are exact, so that `sampleRate` has no effect.
 */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { Slice } from '../timing/slices.ts';
import type { ScopeSource } from './metrics-tree.ts';
import { StatsdWriter } from './statsd-writer.ts';

export interface StatsdConfig {
  readonly prefix: string;
  readonly hostname: string;
  readonly port: number;
  readonly gaugeIntervalMs: number;
}

export class Statsd {
  /** Rounds that could not be sent to the end. */
  failed = 0;
  private readonly config: StatsdConfig;
  private readonly source: ScopeSource;
  private readonly clock: () => number;
  private readonly onFailure: (failure: string) => void;
  private readonly writer: StatsdWriter;
  private timer: NodeJS.Timeout | null = null;
  private failing = false;
  private closed = false;

  /** `clock` gives the milliseconds that figures were recorded with. `onFailure` hears of the first of several in a row. */
  constructor(config: StatsdConfig, source: ScopeSource, clock: () => number, onFailure: (failure: string) => void) {
    this.config = config;
    this.source = source;
    this.clock = clock;
    this.onFailure = onFailure;
    this.writer = new StatsdWriter(config.prefix);
  }

  start(): void {
    if (this.closed) return;
    this.timer = setTimeout(() => {
      void this.sendRound().then(() => this.start());
    }, this.config.gaugeIntervalMs).unref();
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  /** Sends each figure once. Never rejects. */
  async sendRound(): Promise<void> {
    const { hostname, port } = this.config;
    let socket: Socket | null = null;
    try {
      // Looked up in each round: the receiver may move.
      const { address, family } = await lookup(hostname);
      socket = createSocket(family === 6 ? 'udp6' : 'udp4');
      await this.sendAll(socket, port, address);
      this.failing = false;
    } catch (error) {
      this.failed += 1;
      const why = error instanceof Error ? error.message : String(error);
      if (!this.failing) this.onFailure(`statsd at ${hostname}:${port}: ${why}; check telemetry's hostname and port`);
      this.failing = true;
    } finally {
      socket?.close();
    }
  }

  private async sendAll(socket: Socket, port: number, address: string): Promise<void> {
    const { writer, clock } = this;
    writer.begin(clock());
    const slice = new Slice(clock);
    for (const scope of this.source.read()) {
      writer.write(scope);
      if (!slice.isOver) continue;
      // One datagram after the other: none pile up before the socket.
      for (const datagram of writer.take()) await send(socket, datagram, port, address);
      await slice.rest();
    }
    for (const datagram of writer.end()) await send(socket, datagram, port, address);
  }
}

function send(socket: Socket, datagram: string, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(datagram, port, address, (error) => (error === null ? resolve() : reject(error)));
  });
}
