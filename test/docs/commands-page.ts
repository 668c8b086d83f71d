/** The page docs/commands.md, from the definitions of the command line. */
import { allHelp } from './command-line.ts';

const INTRODUCTION = `# Commands

<!-- Made from the definitions of the commands (nodemesh.ts and behind it) by npm run docs. Do not edit. -->

\`nodemesh COMMAND\`, or \`node dist/nodemesh.mjs COMMAND\` in a checkout. What asks the scheduler takes its address from \`--scheduler\`, else from
\`NODEMESH_SCHEDULER\`, else asks \`http://127.0.0.1:4180\`. Exit codes are in [errors.md](errors.md#exit-codes).
`;

/** It has a page of its own. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  scheduler: 'Its options are in [scheduler-options.md](scheduler-options.md).',
};

export async function commandsPage(): Promise<string> {
  const sections = (await allHelp()).map(({ words, summary, text }) => {
    const heading = `${words.includes(' ') ? '###' : '##'} nodemesh ${words}`;
    const body = ELSEWHERE[words] ?? `\`\`\`text\n${text}\n\`\`\``;
    // The help of a command begins with its summary too, in its own words.
    return `${heading}\n\n${sentence(summary)}\n\n${body}\n`;
  });
  return [INTRODUCTION, ...sections].join('\n');
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return capital.endsWith('.') ? capital : `${capital}.`;
}
