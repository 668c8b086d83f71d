/** `node run.mjs run '<settings>'` measures and writes its result as JSON; the other words are the processes that it starts. */
import { runMarathon } from './marathon.ts';
import { measure, type Settings } from './measure.ts';
import { runProxies } from './proxies.ts';

const [role, given = '{}'] = process.argv.slice(2);
switch (role) {
  case 'run':
    process.stdout.write(`${JSON.stringify(await measure(JSON.parse(given) as Settings))}\n`);
    break;
  case 'marathon': {
    const { apps, tasks, agents } = JSON.parse(given) as { apps: number; tasks: number; agents: number };
    runMarathon(apps, tasks, agents);
    break;
  }
  case 'proxies':
    runProxies(JSON.parse(given) as Parameters<typeof runProxies>[0]);
    break;
  default:
    throw new Error('usage: run.mjs run|marathon|proxies SETTINGS');
}
