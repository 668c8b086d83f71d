/** Makes a stream that shows a fault as short as it gets while it still shows it. */

/** A stream that shows its fault by silence takes seconds for each try: what is short enough by then is short enough. */
const PATIENCE_MS = 20_000;

type Fails = (candidate: string) => boolean | Promise<boolean>;

/** Takes pieces away, large ones first, as long as `fails` stays true; then calms the octets that are left. */
export async function minimise(stream: string, fails: Fails): Promise<string> {
  const until = performance.now() + PATIENCE_MS;
  const stillFails: Fails = (candidate) => performance.now() < until && fails(candidate);
  let best = stream;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length; ) {
      const candidate = best.slice(0, at) + best.slice(at + size);
      if (await stillFails(candidate)) best = candidate;
      else at += size;
    }
  }
  return calmed(best, stillFails);
}

/** Other characters become `a` where that changes nothing, so that those which matter stand out. */
async function calmed(stream: string, fails: Fails): Promise<string> {
  let best = stream;
  for (let at = 0; at < best.length; at += 1) {
    const candidate = `${best.slice(0, at)}a${best.slice(at + 1)}`;
    if (best[at] !== 'a' && (await fails(candidate))) best = candidate;
  }
  return best;
}
