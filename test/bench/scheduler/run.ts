/** One run in a process of its own: `node --expose-gc run.mjs AGENTS SEED` writes its result as JSON. */
import { runScenario } from './scenario.ts';

const [agents, seed] = process.argv.slice(2).map(Number);
if (agents === undefined || seed === undefined) throw new Error('usage: run.mjs AGENTS SEED');
process.stdout.write(`${JSON.stringify(await runScenario(agents, seed))}\n`);
