/**
 * What makes a reason better: the last words of a task that failed (from its agent's files), and which task has a port (from
 * the master's list of tasks). Nothing depends on the answers, so everything that goes wrong is just no answer.
 */
import { request } from 'undici';
import { z } from 'zod';
import type { AgentView } from './agent.ts';
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
  const base = `http://${host}:${agent.port}`;
  const state = stateSchema.parse(await getJson(access, `${base}/state`));
  const executors = [...state.frameworks, ...state.completed_frameworks].flatMap((framework) => [
    ...framework.executors,
    ...framework.completed_executors,
  ]);
  const directory = executors.find((executor) => executor.id === taskId)?.directory;
  if (directory === undefined) return null;
  const path = `${base}/files/read?path=${encodeURIComponent(`${directory}/stderr`)}`;
  const end = fileSchema.parse(await getJson(access, `${path}&offset=-1`)).offset;
  const offset = Math.max(0, end - LAST_BYTES);
  const { data } = fileSchema.parse(await getJson(access, `${path}&offset=${offset}&length=${LAST_BYTES}`));
  return lastLines(data);
}

const LAST_LINES = 3;

function lastLines(text: string): string | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length === 0 ? null : lines.slice(-LAST_LINES).join(' / ');
}

async function getJson(access: MasterAccess, url: string): Promise<unknown> {
  const header = (await access.authorization?.header()) ?? null;
  const answer = await request(url, {
    headers: header === null ? {} : { authorization: header },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  let text = '';
  for await (const chunk of answer.body) {
    text += String(chunk);
    if (text.length > MAX_STATE_BYTES) throw new Error(`${url} says more than ${MAX_STATE_BYTES} bytes`);
  }
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
  return JSON.parse(text);
}
