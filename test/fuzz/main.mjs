/**
 * `npm run fuzz`: looks for streams of bytes that the proxy's HTTP/1.1 parser and the slow reference parser read
 * differently, and for requests that the proxy lets slip through. What it is doing goes to standard error; a finding goes
 * to standard output and to a file, and the exit code is 1.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SetUpError, say } from '../../dcos-package/build/progress.mjs';
import { ROOT, setUp } from '../../dcos-package/build/set-up.mjs';
import { withBundle } from '../setup/with-bundle.mjs';
import { parseOptions, USAGE } from './options.mjs';

/** @param {readonly string[]} words */
export async function main(words) {
  const { help, seconds, seed } = parseOptions(words);
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  await setUp({ root: ROOT, build: false });
  const directory = join(ROOT, '.nodemesh', 'fuzz');
  /** @type {typeof import('./fuzz.ts')} */
  const { fuzz } = await withBundle(
    join(ROOT, 'test/fuzz/fuzz.ts'),
    directory,
    (bundle) => import(pathToFileURL(bundle).href),
  );
  const finding = await fuzz({ seconds, seed: seed ?? 1 + Math.floor(Math.random() * 1e6), say });
  if (finding === null) {
    say('fuzz: nothing found');
    return;
  }
  const file = join(directory, 'finding.json');
  await writeFile(file, `${JSON.stringify(finding, null, 2)}\n`);
  process.stdout.write(`${finding.part}: ${JSON.stringify(finding.stream)}\n${finding.why}\n`);
  throw new SetUpError(`fuzz: a finding, kept in ${file}; put it into test/agent-proxy/http1/corpus/found.ts`);
}
