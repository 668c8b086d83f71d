/** Somebody has seen a later epoch than ours: when the state store says so too, another scheduler leads, and this one ends. */
import type { ControlPlaneOptions } from './control-plane-options.ts';

/** `stopped`: whether this scheduler ends anyway. */
export async function doubtLead(
  { identity, logger, fatal }: Pick<ControlPlaneOptions, 'identity' | 'logger' | 'fatal'>,
  who: string,
  stopped: () => boolean,
): Promise<void> {
  logger.error({ who, epoch: identity.epoch }, 'a proxy has seen a later scheduler than this one');
  try {
    if (stopped() || (await identity.stillLeading())) return;
  } catch (error) {
    fatal(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  fatal(new Error('another scheduler took over: its epoch is in the state store; this one ends'));
}
