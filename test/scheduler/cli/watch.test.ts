/** `--watch` on a terminal: what is written to it, and that it is given back as it was. */
import { describe, expect, test, vi } from 'vitest';
import type { Screen } from '../../../scheduler/cli/screen.ts';
import { watch } from '../../../scheduler/cli/watch.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

function terminal(height: number | null = null) {
  const written: string[] = [];
  const complaints: string[] = [];
  const screen: Screen = {
    width: 80,
    height,
    live: true,
    paint: (tone, text) => `<${tone}>${text}</${tone}>`,
    write: (text) => written.push(text),
    complain: (text) => complaints.push(text),
  };
  return { screen, written, complaints };
}

describe('a watch on a terminal', () => {
  test('draws each report over the last, and gives the screen back when it is stopped', async () => {
    const { screen, written } = terminal();
    const stop = new AbortController();
    let looks = 0;
    const report = async () => {
      looks += 1;
      if (looks === 2) throw new Error('cannot reach the scheduler');
      if (looks === 3) stop.abort();
      return `look ${looks}\nend\n`;
    };
    await watch(report, screen, false, stop.signal, 1);
    expect(written).toEqual([
      ENTER,
      '\u001b[H\u001b[Klook 1\n\u001b[Jend',
      '\u001b[H\u001b[J<bad>cannot reach the scheduler</bad>',
      '\u001b[H\u001b[Klook 3\n\u001b[Jend',
      LEAVE,
    ]);
  });

  test('shows the beginning of a report that is longer than the screen, and says how much is left out', async () => {
    const { screen, written } = terminal(4);
    const stop = new AbortController();
    const watching = watch(async () => 'a\nb\nc\nd\ne\n', screen, false, stop.signal, 60_000);
    await vi.waitFor(() => expect(written.length).toBe(2));
    stop.abort();
    await watching;
    const lines = (written[1] ?? '').split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[2]).toBe('\u001b[Kc');
    expect(lines[3]).toContain('… 2 more lines');
    expect(written.at(-1)).toBe(LEAVE);
  });

  test('leaves the terminal alone when the first report fails, and when it prints JSON', async () => {
    const { screen, written } = terminal();
    const fails = async () => {
      throw new Error('no');
    };
    await expect(watch(fails, screen, false, new AbortController().signal)).rejects.toThrow('no');
    expect(written).toEqual([]);
    const stop = new AbortController();
    const json = async () => {
      stop.abort();
      return '[]\n';
    };
    await watch(json, screen, true, stop.signal, 1);
    expect(written).toEqual(['[]\n']);
  });

  test('gives the screen back when a write fails', async () => {
    const { screen, written } = terminal();
    const broken: Screen = {
      ...screen,
      write: (text) => {
        written.push(text);
        if (text.includes('look')) throw new Error('broken');
      },
    };
    await expect(watch(async () => 'look\n', broken, false, new AbortController().signal)).rejects.toThrow('broken');
    expect(written.at(-1)).toBe(LEAVE);
  });
});
