/**
 * `npm run build`: dependencies and built files, nothing else.
 */
import { SetUpError, say } from './progress.mjs';
import { ROOT, setUp } from './set-up.mjs';

/** @param {readonly string[]} words */
export async function main(words) {
  if (words.length > 0) throw new SetUpError(`npm run build takes no words, and got '${words.join(' ')}'`, 2);
  await setUp({ root: ROOT, build: true });
  say('dist/ is up to date: node dist/nodemesh.mjs --help tells what it can do');
}
