/** Small pictures of states. They only repeat what a word beside them says. */

/** Paths in a box of 16 by 16. Shapes differ, so that they can be told apart without colour. */
const SHAPES = {
  healthy: (
    <path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm3.6 5.3-4.2 4.9a.8.8 0 0 1-1.2 0L4.4 9.300a.8.8 0 0 1 1.2-1.1l1.2 1.300 3.600-4.200a.8.8 0 0 1 1.2 1Z" />
  ),
  unhealthy: (
    <path d="M8 1.200 15.400 14.200H.6L8 1.200ZM7.200 6v4.200h1.600V6H7.200Zm0 5.300v1.600h1.600v-1.600H7.200Z" />
  ),
  lost: (
    <path d="M5.100 1h5.800L15 5.100v5.800L10.900 15H5.100L1 10.900V5.100L5.100 1Zm.7 3.700L4.700 5.800 6.900 8l-2.200 2.200 1.100 1.100L8 9.100l2.200 2.200 1.100-1.100L9.100 8l2.200-2.200-1.100-1.100L8 6.900 5.800 4.700Z" />
  ),
  pending: (
    <path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.600a5.400 5.400 0 1 1 0 10.800A5.400 5.400 0 0 1 8 2.600ZM7.200 4.500v4l2.900 1.800.8-1.300-2.100-1.300V4.500H7.200Z" />
  ),
  launching: <path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.600v10.800A5.400 5.400 0 0 1 8 2.600Z" />,
  draining: (
    <path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm.8 3.500v4.400l1.700-1.700 1.100 1.100L8 11.900 4.400 8.300l1.100-1.100 1.700 1.700V4.500h1.600Z" />
  ),
  excluded: (
    <path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.600a5.400 5.400 0 1 1 0 10.800A5.400 5.400 0 0 1 8 2.600ZM4.500 7.200v1.600h7V7.200Z" />
  ),
  other: <path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.600a5.400 5.400 0 1 1 0 10.800A5.400 5.400 0 0 1 8 2.600Z" />,
} as const;

export type IconName = keyof typeof SHAPES;

function isIconName(name: string): name is IconName {
  return Object.hasOwn(SHAPES, name);
}

export function Icon({ name }: { readonly name: string }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      {SHAPES[isIconName(name) ? name : 'other']}
    </svg>
  );
}

/** The tone of a state, for the style sheet. */
const TONES: Readonly<Record<string, string>> = {
  healthy: 'good',
  unhealthy: 'bad',
  lost: 'bad',
  pending: 'busy',
  launching: 'busy',
  draining: 'busy',
  excluded: 'quiet',
};

export function toneOf(state: string): string {
  return Object.hasOwn(TONES, state) ? `tone-${TONES[state]}` : 'tone-busy';
}

/** A state: picture and word. */
export function StateMark({ state, children }: { readonly state: string; readonly children?: string }) {
  return (
    <span class={`state ${toneOf(state)}`}>
      <Icon name={state} />
      {children ?? state}
    </span>
  );
}
