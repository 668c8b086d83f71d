/** Each command that a document shows would be understood: it is parsed by the definitions of the command line, and not run. */
import { describe, expect, it } from 'vitest';
import { faultOf } from './command-line.ts';
import { split } from './markdown.ts';
import { npmFaultOf } from './npm-scripts.ts';
import { pagesOnDisk } from './pages-on-disk.ts';
import { commandsOf } from './shell-lines.ts';

const HOW = 'Mend the page, or the command: nodemesh.ts has the words, each part its options';

/** Null: it would be understood, or is no command of ours. */
async function faultIn({ env, words }: Pick<ReturnType<typeof commandsOf>[number], 'env' | 'words'>) {
  const [program = '', ...rest] = words;
  if (program === 'npm') return npmFaultOf(rest);
  if (program === 'dcos') return rest[0] === 'nodemesh' ? await faultOf({ words: rest.slice(1), env }) : null;
  if (program === 'node')
    return /(?:^|\/)nodemesh\.mjs$/.test(rest[0] ?? '') ? await faultOf({ words: rest.slice(1), env }) : null;
  return /(?:^|\/)nodemesh(?:\.mjs)?$/.test(program) ? await faultOf({ words: rest, env }) : null;
}

it('every command in the documents would be understood', async () => {
  const spoken = pagesOnDisk().flatMap(({ file, text }) =>
    split(text).blocks.flatMap((block) => commandsOf(block).map((command) => ({ file, ...command }))),
  );
  expect(spoken.length).toBeGreaterThan(50);
  const faults: string[] = [];
  for (const { file, line, ...command } of spoken) {
    const fault = await faultIn(command);
    if (fault !== null) faults.push(`${file}:${line}: ${command.words.join(' ')}: ${fault}`);
  }
  expect(faults, HOW).toEqual([]);
});

it('every command that a sentence or a table of the documents names is there', async () => {
  const faults: string[] = [];
  for (const { file, text } of pagesOnDisk()) {
    for (const { text: prose, line } of split(text).prose) {
      for (const [, code = ''] of prose.matchAll(/`((?:nodemesh|dcos nodemesh|npm run) [a-z][^`]*)`/g)) {
        const [command] = commandsOf({
          language: 'sh',
          line,
          lines: [code.replaceAll('\\|', '|').replace(/ *…$/, '')],
        });
        const fault = command === undefined ? null : await faultIn(command);
        // A sentence leaves out what it does not speak of.
        if (fault !== null && !/^missing required|^needs a CONFIG|too many arguments/.test(fault))
          faults.push(`${file}:${line}: ${code}: ${fault}`);
      }
    }
  }
  expect(faults, HOW).toEqual([]);
});

describe('what would not be understood is named', () => {
  it.each([
    ['nodemesh plam', 'there is no command plam'],
    ['nodemesh plan shwo', "unknown command 'shwo'"],
    ['nodemesh nodes --jsno', "unknown option '--jsno'"],
    ['nodemesh why', "missing required argument 'node'"],
    ['nodemesh nodes --scheduler here', 'http or https URL'],
    ['nodemesh scheduler --mster http://a:5050', "unknown option '--mster'"],
    ['nodemesh proxy linkerd.yaml --worker 3 --works 2', "Unknown option '--works'"],
    ['node dist/nodemesh.mjs dtab set', "missing required argument 'namespace'"],
    ['NODEMESH_X=1 dcos nodemesh nods | head -3', 'there is no command nods'],
    ['npm run bulid', 'there is no script bulid'],
    ['npm run simulate -- --sede 3', 'no option --sede'],
    ['npm run simulate --seeds 3', 'put -- before it'],
  ])('%s', async (line, fault) => {
    const [command] = commandsOf({ language: 'sh', line: 1, lines: [line] });
    expect(command === undefined ? null : await faultIn(command)).toContain(fault);
  });

  it.each([
    'nodemesh nodes --scheduler URL --watch # till Ctrl-C',
    'sudo nodemesh why node-2 | grep "a > b" > file',
    'nodemesh shift "web app" --to web-v2 --steps 1%,100%',
    'nodemesh plan',
    'nodemesh local --help',
    'kubectl get pods; nodemesh --version',
    'npm test -- test/framework',
    'npm install anything',
  ])('and this is not: %s', async (line) => {
    for (const command of commandsOf({ language: 'sh', line: 1, lines: [line] }))
      expect(await faultIn(command)).toBe(null);
  });

  it('with what a shell makes of the words', () => {
    const lines = [
      `A=1 B="x y" prog 'it is' a\\ b "say \\"no\\"" <FILE> 2>err --all \\`,
      '  --more # why',
      'next && last',
    ];
    expect(commandsOf({ language: 'bash', line: 7, lines })).toEqual([
      { env: { A: '1', B: 'x y' }, words: ['prog', 'it is', 'a b', 'say "no"', '<FILE>', '--all', '--more'], line: 7 },
      { env: {}, words: ['next'], line: 9 },
      { env: {}, words: ['last'], line: 9 },
    ]);
    expect(commandsOf({ language: 'console', line: 1, lines: ['$ a', 'b', '$ c'] }).map(({ words }) => words)).toEqual([
      ['a'],
      ['c'],
    ]);
    expect(commandsOf({ language: 'yaml', line: 1, lines: ['a'] })).toEqual([]);
  });
});
