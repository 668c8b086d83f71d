/** `nodemesh exclude` and `nodemesh include`: no proxy on a node until an operator takes it in again. */
import { ask, refusal, sentenceIn } from './http.ts';
import {
  newCommand,
  type SchedulerOption,
  schedulerOption,
  type TokenOption,
  tokenOf,
  tokenOption,
} from './options.ts';
import { UnknownName } from './outcome.ts';
import type { Screen } from './screen.ts';

type Options = SchedulerOption & TokenOption;

export async function exclude(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh exclude', 'Take the proxy of a node away, and launch none there.', version)
    .argument('<node>', 'its hostname, address or agent id')
    .argument('[why...]', 'the reason, which the tables show')
    .addOption(schedulerOption())
    .addOption(tokenOption())
    .addHelpText('after', '\nWhat is reserved for it is given back. nodemesh include NODE ends it.');
  command.parse([...args], { from: 'user' });
  const [node = '', ...why] = command.args;
  screen.write(await placed(node, 'exclude', why.length === 0 ? {} : { why: why.join(' ') }, command.opts<Options>()));
}

export async function include(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh include', 'Have a proxy on a node again that was excluded.', version)
    .argument('<node>', 'its hostname, address or agent id')
    .addOption(schedulerOption())
    .addOption(tokenOption());
  command.parse([...args], { from: 'user' });
  const [node = ''] = command.args;
  screen.write(await placed(node, 'include', {}, command.opts<Options>()));
}

async function placed(node: string, verb: 'exclude' | 'include', body: object, options: Options): Promise<string> {
  const path = `v1/nodes/${encodeURIComponent(node)}/${verb}`;
  const reply = await ask(options.scheduler, path, { method: 'POST', token: tokenOf(options), body });
  if (reply.status === 404) throw new UnknownName(sentenceIn(reply.body));
  if (reply.status !== 200 && reply.status !== 208) throw refusal(options.scheduler, path, reply);
  return `${sentenceIn(reply.body)}.\n`;
}
