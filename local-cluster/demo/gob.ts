/** What gob's microservice says: words, and the lines that are made of them. The variants talk like a start-up. */
export type Manner = 'plain' | 'growthhack';

const WORDS: Readonly<Record<Manner, readonly string[]>> = {
  plain: [
    'banana',
    'magic',
    'illusion',
    'segway',
    'stair car',
    'hermano',
    'puppet',
    'chicken dance',
    'dove',
    'mistake',
  ],
  growthhack: [
    'synergy',
    'funnel',
    'runway',
    'disruption',
    'pivot',
    'unicorn',
    'traction',
    'virality',
    'north star',
    'moat',
  ],
};

const LINES: Readonly<Record<Manner, readonly string[]>> = {
  plain: [
    'You know what they say about a %s: never bring one to a magic show.',
    'I have made a huge %s.',
    'There is always room for one more %s in this act.',
    'It is not a trick, it is a %s.',
    'Come on! Who left a %s in the cage?',
  ],
  growthhack: [
    'Let us circle back and ten-x the %s before the demo day.',
    'Our %s is up and to the right, week over week.',
    'We do not sell software, we ship %s as a service.',
    'The whole team is laser-focused on %s right now.',
    'Investors love the %s; users will follow.',
  ],
};

function pick<T>(from: readonly [T, ...T[]] | readonly T[], chance: number): T {
  const index = Math.min(from.length - 1, Math.floor(chance * from.length));
  const chosen = from[index];
  if (chosen === undefined) throw new Error('nothing to pick from');
  return chosen;
}

/** `chance` is uniform in [0, 1). */
export function word(manner: Manner, chance: number): string {
  return pick(WORDS[manner], chance);
}

/** A line about a word. */
export function line(manner: Manner, about: string, chance: number): string {
  return pick(LINES[manner], chance).replace('%s', about);
}
