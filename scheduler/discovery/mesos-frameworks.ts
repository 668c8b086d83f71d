/** Which frameworks' tasks get names here: not ours, and not those that Marathon itself tells us of. Pure. */

/**
 * - `named`: its tasks are services, as far as they are meant to be found.
 * - `marathon`: its tasks are discovered from Marathon; here they are known, to be looked up.
 * - `own`: the mesh itself.
 */
export type FrameworkRole = 'named' | 'marathon' | 'own';

export interface FrameworkDescription {
  readonly name: string;
  readonly webui_url?: string | undefined;
}

export interface KnownFrameworks {
  /** The name that this mesh is registered by. */
  readonly ownName: string;
  /** Base URLs of the Marathons that are followed. */
  readonly marathons: readonly string[];
}

/** `marathon`, `marathon-user`, `marathon_eu`: what Marathon is called, unless it was told otherwise. */
const MARATHON_NAME = /^marathon\b|^marathon_/i;

export function roleOf({ name, webui_url }: FrameworkDescription, known: KnownFrameworks): FrameworkRole {
  if (name === known.ownName) return 'own';
  if (MARATHON_NAME.test(name)) return 'marathon';
  const place = placeOf(webui_url);
  return place !== null && known.marathons.some((url) => placeOf(url) === place) ? 'marathon' : 'named';
}

/** Host and port: a framework names itself with its own address, seldom with the path that we use. */
function placeOf(url: string | undefined): string | null {
  return url !== undefined && URL.canParse(url) ? new URL(url).host : null;
}
