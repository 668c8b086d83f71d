/** Fuzzes the whole proxy: a raw client before it, a strict server behind it. */
import { configTo, startProxy } from '../fixtures/standalone-proxy.ts';
import type { Finding, FuzzOptions } from './finding.ts';
import { minimise } from './minimise.ts';
import { Random } from './random.ts';
import { mixedUp } from './responses.ts';
import { smuggled } from './smuggling.ts';
import { randomStream } from './streams.ts';
import { StrictBackend } from './strict-backend.ts';

const PROGRESS_MS = 5_000;
const ATTEMPTS = 4;
/** Whatever damaged answers say of it, the one instance stays in use. */
const NO_ACCRUAL = '    client: { failureAccrual: { kind: none } }\n';

/** Returns the finding, or null after the time. */
export async function fuzzProxy({ seconds, seed, say }: FuzzOptions): Promise<Finding | null> {
  const backend = new StrictBackend();
  const proxy = await startProxy(configTo(await backend.listen(), NO_ACCRUAL));
  const crashes: string[] = [];
  const crashed = (error: unknown): void => {
    crashes.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  };
  process.on('uncaughtException', crashed);
  process.on('unhandledRejection', crashed);
  const reasonFor = async (part: Finding['part'], stream: string, random: Random): Promise<string | null> => {
    const run = part === 'proxy-requests' ? smuggled : mixedUp;
    const why = await run(stream, random, proxy.port, backend);
    const crash = crashes.splice(0)[0];
    return crash === undefined ? why : `the proxy crashed: ${crash}`;
  };
  try {
    return await hunt({ seconds, seed, say }, reasonFor);
  } finally {
    process.off('uncaughtException', crashed);
    process.off('unhandledRejection', crashed);
    backend.close();
    await proxy.close();
  }
}

type ReasonFor = (part: Finding['part'], stream: string, random: Random) => Promise<string | null>;

async function hunt({ seconds, seed, say }: FuzzOptions, reasonFor: ReasonFor): Promise<Finding | null> {
  const began = performance.now();
  let said = began;
  for (let executions = 1; ; executions += 1) {
    const caseSeed = Math.imul(seed, 65_537) + executions;
    const random = new Random(caseSeed);
    const part = executions % 3 === 0 ? 'proxy-responses' : 'proxy-requests';
    const stream = randomStream(part === 'proxy-requests' ? 'requests' : 'responses', random);
    const why = await reasonFor(part, stream, random);
    if (why !== null) return shortened(part, stream, why, caseSeed, reasonFor);
    const now = performance.now();
    if (now - said < PROGRESS_MS && now - began < seconds * 1000) continue;
    said = now;
    const rate = Math.round(executions / ((now - began) / 1000));
    say(`proxy: ${executions} conversations, ${rate} a second, seed ${seed}`);
    if (now - began >= seconds * 1000) return null;
  }
}

async function shortened(
  part: Finding['part'],
  found: string,
  foundWhy: string,
  seed: number,
  reasonFor: ReasonFor,
): Promise<Finding> {
  // How the bytes fall into pieces is a matter of luck, so each is tried a few times.
  const again = async (stream: string): Promise<string | null> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const why = await reasonFor(part, stream, new Random(seed + attempt));
      if (why !== null) return why;
    }
    return null;
  };
  const stream = await minimise(found, async (candidate) => (await again(candidate)) !== null);
  return { part, stream, why: (await again(stream)) ?? foundWhy };
}
