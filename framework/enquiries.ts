/**
 * What makes a reason better: the last words of a task that failed (from its agent's files), and which task has a port (from
 * the master's list of tasks). Nothing depends on the answers, so everything that goes wrong is just no answer.
 */
import { z } from 'zod';
import type { AgentView } from './agent.ts';
import { NO_AUTHORIZATION, withAuthorization } from './mesos-http-client/auth/authorization.ts';
import { authorizationHeader, boundedBody, connectTo } from './mesos-http-client/http.ts';
import type { MasterAccess } from './mesos-http-client/index.ts';
import type { TaskId } from './mesos-http-client/messages.ts';

const TIMEOUT_MS = 5_000;
const LAST_BYTES = 2_000;
/** An agent's state lists what it has ever run, within limits of its own. */
const MAX_STATE_BYTES = 32 * 1024 * 1024;

const executorSchema = z.object({ id: z.string(), directory: z.string() });
const frameworkSchema = z.object({
  executors: z.array(executorSchema).default([]),
  completed_executors: z.array(executorSchema).default([]),
});
/** The agent's `/state`, as far as it tells where a task has its files. A command task's executor has the task's id. */
const stateSchema = z.object({
  frameworks: z.array(frameworkSchema).default([]),
  completed_frameworks: z.array(frameworkSchema).default([]),
});
/** `/files/read`: with offset -1 it says how long the file is. */
const fileSchema = z.object({ data: z.string().default(''), offset: z.number() });

/** The end of what the task wrote to standard error; null when it wrote nothing. @throws when nobody can tell. */
export async function lastWords(access: MasterAccess, agent: AgentView, taskId: TaskId): Promise<string | null> {
  if (agent.port === null) return null;
  const host = agent.ip.includes(':') ? `[${agent.ip}]` : agent.ip;
  // An agent speaks TLS where the masters do: it has its certificate of the same authority.
  const scheme = access.masters.current()[0]?.startsWith('https:') === true ? 'https' : 'http';
  const { ask, close } = openAgent(access, new URL(`${scheme}://${host}:${agent.port}`));
  try {
    const state = stateSchema.parse(await ask('/state'));
    const executors = [...state.frameworks, ...state.completed_frameworks].flatMap((framework) => [
      ...framework.executors,
      ...framework.completed_executors,
    ]);
    const directory = executors.find((executor) => executor.id === taskId)?.directory;
    if (directory === undefined) return null;
    const path = `/files/read?path=${encodeURIComponent(`${directory}/stderr`)}`;
    const end = fileSchema.parse(await ask(`${path}&offset=-1`)).offset;
    const offset = Math.max(0, end - LAST_BYTES);
    const { data } = fileSchema.parse(await ask(`${path}&offset=${offset}&length=${LAST_BYTES}`));
    return lastLines(data);
  } finally {
    await close();
  }
}

const LAST_LINES = 3;

function lastLines(text: string): string | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length === 0 ? null : lines.slice(-LAST_LINES).join(' / ');
}

type Ask = (path: string) => Promise<unknown>;

/** A connection of its own to an agent, with the login of the masters. */
function openAgent(access: MasterAccess, url: URL): { ask: Ask; close(): Promise<void> } {
  const client = connectTo(url, access.tls, TIMEOUT_MS, TIMEOUT_MS);
  const get = async (path: string, header: string | null): Promise<{ status: number; text: string }> => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await client.request({ method: 'GET', path, headers: authorizationHeader(header), signal });
    return { status: answer.statusCode, text: await boundedBody(answer, MAX_STATE_BYTES) };
  };
  return {
    ask: async (path) => {
      const what = `GET ${url.origin}${path}`;
      const authorization = access.authorization ?? NO_AUTHORIZATION;
      const { status, text } = await withAuthorization(authorization, what, (header) => get(path, header));
      if (status !== 200) throw new Error(`${what}: answered ${status}`);
      return JSON.parse(text);
    },
    close: () => client.destroy(),
  };
}
