/** What a person sees while the cluster comes up: on a terminal one line that is rewritten, elsewhere a line a change. */
import type { Writable } from 'node:stream';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const TICK_MS = 100;

export class Progress {
  private readonly out: Writable & { isTTY?: boolean };
  private readonly startedAtMs = Date.now();
  private text = '';
  private frame = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(out: Writable & { isTTY?: boolean }) {
    this.out = out;
  }

  /** What is being waited for now. */
  show(text: string): void {
    if (text === this.text) return;
    this.text = text;
    if (this.out.isTTY !== true) {
      this.out.write(`${this.seconds()} ${text}\n`);
      return;
    }
    this.timer ??= setInterval(() => this.draw(), TICK_MS);
    this.draw();
  }

  /** A line that stays. */
  note(text: string): void {
    this.erase();
    this.out.write(`${text}\n`);
  }

  end(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.erase();
  }

  seconds(): string {
    return `${((Date.now() - this.startedAtMs) / 1000).toFixed(1).padStart(5)} s`;
  }

  private draw(): void {
    this.frame = (this.frame + 1) % FRAMES.length;
    this.out.write(`\r\x1b[K${FRAMES[this.frame] ?? ''} ${this.seconds()}  ${this.text}`);
  }

  private erase(): void {
    if (this.out.isTTY === true) this.out.write('\r\x1b[K');
  }
}
