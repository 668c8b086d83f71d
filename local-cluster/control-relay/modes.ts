/** What the relay does to the deltas of one agent's proxy: every third is lost, doubled, or late. No sockets, no clock. */

export const LINK_MODES = ['drop', 'duplicate', 'reorder', 'blackhole', 'off'] as const;
export type LinkMode = (typeof LINK_MODES)[number];

/** Which deltas are hit: every third. */
const EVERY = 3;

/** The link of one agent, over all the streams that its proxy opens. */
export class AgentLink {
  mode: LinkMode = 'off';
  #deltas = 0;
  #hit = 0;

  /** Deltas that were lost, doubled, or late so far. */
  get hit(): number {
    return this.#hit;
  }

  /** How a stream hands on its records: what goes out for each, in order. One for each stream. */
  handing(isDelta: (record: Buffer) => boolean): (record: Buffer) => readonly Buffer[] {
    /** A delta that waits for the next one to overtake it. */
    let late: Buffer | null = null;
    return (record) => {
      if (!isDelta(record)) return [record];
      const isHit = this.#strikes();
      if (late !== null) {
        const out = [record, late];
        late = null;
        return out;
      }
      if (!isHit) return [record];
      switch (this.mode) {
        case 'drop':
          return [];
        case 'duplicate':
          return [record, record];
        default:
          late = record;
          return [];
      }
    };
  }

  #strikes(): boolean {
    if (this.mode === 'off' || this.mode === 'blackhole') return false;
    this.#deltas += 1;
    if (this.#deltas % EVERY !== 0) return false;
    this.#hit += 1;
    return true;
  }
}
