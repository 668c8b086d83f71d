/** `nodemesh freeze` and `nodemesh thaw`: no change of the mesh by itself, but repair, until an operator ends it. */
import { FROZEN } from '../dashboard/src/model/answers.ts';
import { ask, refusal } from './http.ts';
import {
  newCommand,
  type SchedulerOption,
  schedulerOption,
  type TokenOption,
  tokenOf,
  tokenOption,
} from './options.ts';
import type { Screen } from './screen.ts';

type Options = SchedulerOption & TokenOption;

export async function freeze(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh freeze', 'Stop every change that the mesh makes by itself, but repair.', version)
    .argument('[why...]', "the reason, for the scheduler's log")
    .addOption(schedulerOption())
    .addOption(tokenOption())
    .addHelpText('after', '\nRollouts stand still, nothing is evicted. Proxies that die are launched again.');
  command.parse([...args], { from: 'user' });
  const why = command.args.join(' ');
  const already = await change('v1/freeze', why === '' ? {} : { why }, command.opts<Options>());
  screen.write(already ? 'Frozen already. nodemesh thaw ends it.\n' : `${FROZEN}\n`);
}

export async function thaw(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh thaw', 'End a freeze: what stood still goes on.', version)
    .addOption(schedulerOption())
    .addOption(tokenOption());
  command.parse([...args], { from: 'user' });
  const already = await change('v1/thaw', {}, command.opts<Options>());
  screen.write(already ? 'Not frozen.\n' : 'Thawed: what stood still goes on.\n');
}

/** Whether it was so already. */
async function change(path: string, body: object, options: Options): Promise<boolean> {
  const reply = await ask(options.scheduler, path, { method: 'POST', token: tokenOf(options), body });
  if (reply.status !== 200 && reply.status !== 208) throw refusal(options.scheduler, path, reply);
  return reply.status === 208;
}
