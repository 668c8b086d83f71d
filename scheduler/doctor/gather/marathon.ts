/** What a Marathon says of itself. */
import { z } from 'zod';
import type { MarathonFacts } from '../facts.ts';
import type { Asker } from './ask.ts';

const infoSchema = z
  .object({ version: z.string().default('of an unknown version'), leader: z.string().nullish() })
  .transform(({ version, leader }) => ({ version, leader: leader === undefined || leader === '' ? null : leader }));

export async function gatherMarathon(
  asker: Asker,
  { prefix, url, followed }: Pick<MarathonFacts, 'prefix' | 'url' | 'followed'>,
): Promise<MarathonFacts> {
  return { prefix, url, followed, info: await asker.json(`${url}/v2/info`, infoSchema) };
}
