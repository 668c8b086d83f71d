/** Where the commands write: how wide it is, and whether it shows colours. */
import { styleText } from 'node:util';

export type Tone = 'good' | 'busy' | 'bad' | 'head' | 'quiet';

export interface Screen {
  /** Columns; null where lines may be of any length (a file, a pipe). */
  readonly width: number | null;
  /** Lines; null where there may be any number. */
  readonly height: number | null;
  /** Whether it can be cleared: a terminal. */
  readonly live: boolean;
  paint(tone: Tone, text: string): string;
  write(text: string): void;
  /** Standard error. */
  complain(text: string): void;
}

const STYLES = {
  good: 'green',
  busy: 'yellow',
  bad: ['red', 'bold'],
  head: 'bold',
  quiet: 'dim',
} as const satisfies Record<Tone, Parameters<typeof styleText>[0]>;

/** Standard output. Colours only on a terminal, and only while `NO_COLOR` is unset or empty (no-color.org). */
export function standardScreen(): Screen {
  const { stdout } = process;
  const live = stdout.isTTY === true;
  const noColour = process.env['NO_COLOR'];
  const colours = live && (noColour === undefined || noColour === '');
  return {
    get width() {
      return live ? stdout.columns : null;
    },
    get height() {
      return live ? stdout.rows : null;
    },
    live,
    // styleText would look at the stream by itself, but differently in each version of Node.js.
    paint: (tone, text) => (colours ? styleText(STYLES[tone] as 'red', text, { validateStream: false }) : text),
    write: (text) => {
      stdout.write(text);
    },
    complain: (text) => {
      process.stderr.write(text);
    },
  };
}
