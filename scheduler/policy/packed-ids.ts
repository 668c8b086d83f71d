/**
 * Ids of agents in less room: Mesos numbers them (`<master's id>-S<n>`), so that ten thousand of them, in their order, fit
 * into one key of the state store.
 */

const NUMBERED = /^([^ ]*-S)(\d{1,9})$/;

/** `<prefix of a run> <number> <number> …`; an id of another form stands alone, behind an equals sign. */
export function packIds(ids: readonly string[]): string[] {
  const packed: string[] = [];
  let prefix: string | null = null;
  for (const id of ids) {
    const [, own = null, number = ''] = NUMBERED.exec(id) ?? [];
    if (own === null || number !== String(Number(number))) packed.push(`=${id}`);
    else if (own === prefix) packed[packed.length - 1] += ` ${number}`;
    else packed.push(`:${own} ${number}`);
    prefix = own === null || packed.at(-1)?.startsWith('=') === true ? null : own;
  }
  return packed;
}

export function unpackIds(packed: readonly string[]): string[] {
  return packed.flatMap((text) => {
    if (text.startsWith('=')) return [text.slice(1)];
    const numbers = text.slice(1).split(' ');
    const prefix = numbers.shift() ?? '';
    return numbers.map((number) => `${prefix}${number}`);
  });
}
