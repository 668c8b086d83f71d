/** The agent's HTTP API: health, state, containers, sandboxes, and the read-only calls of the v1 operator API. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { AgentFiles, type FileEntry } from './agent-files.ts';
import { HttpError, readJson, sendJson, sendText } from './http-answer.ts';
import { getAgent, getContainers, getExecutors, getFrameworks, getState, getTasks } from './operator-view.ts';
import { type AgentView, containersView, MESOS_VERSION, stateView } from './state-view.ts';

export interface AgentHttpOptions {
  readonly workDir: string;
  readonly view: () => AgentView;
}

const operatorCall = z.object({
  type: z.string(),
  list_files: z.object({ path: z.string() }).optional(),
  read_file: z.object({ path: z.string(), offset: z.number().int(), length: z.number().int().optional() }).optional(),
});

/** Mesos' answer to an offset that is no number would be 400 as well. */
const wholeNumber = z.coerce.number().int();

export function createAgentHttp({ workDir, view }: AgentHttpOptions): Server {
  const files = new AgentFiles(workDir);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://agent');
    // Every endpoint of an agent is also found under its libprocess name.
    const path = pathname.replace(/^\/slave\(1\)(?=\/)/, '');
    const wanted = path === '/api/v1' ? 'POST' : 'GET';
    if (request.method !== wanted) throw new HttpError(405, `Expecting '${wanted}', received '${request.method}'`);
    switch (path) {
      case '/health':
        return sendText(response, 200, '');
      case '/version':
        return sendJson(response, { version: MESOS_VERSION });
      case '/state':
      case '/state.json':
        return sendJson(response, stateView(view()));
      case '/containers':
        return sendJson(response, containersView(view()));
      case '/files/browse':
      case '/files/browse.json':
        return sendJson(response, (await files.browse(pathOf(searchParams))).map(withModeText));
      case '/files/read':
      case '/files/read.json': {
        const offset = numberOf(searchParams, 'offset', -1);
        const { data, offset: at } = await files.read(
          pathOf(searchParams),
          offset,
          numberOf(searchParams, 'length', Number.MAX_SAFE_INTEGER),
        );
        return sendJson(response, { data: data.toString('utf8'), offset: at });
      }
      case '/files/download':
        return sendFile(response, pathOf(searchParams));
      case '/api/v1':
        return sendJson(response, await operatorAnswer(await readJson(request)));
      default:
        throw new HttpError(404, `There is no ${path} on an agent`);
    }
  }

  /** The whole file, page by page. */
  async function sendFile(response: ServerResponse, path: string): Promise<void> {
    const { size } = await files.read(path, -1, 0);
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    for (let offset = 0; offset < size; ) {
      const { data } = await files.read(path, offset, size - offset);
      if (data.length === 0) break;
      offset += data.length;
      if (!response.write(data)) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
      if (response.destroyed) return;
    }
    response.end();
  }

  async function operatorAnswer(body: unknown): Promise<Record<string, unknown>> {
    const parsed = operatorCall.safeParse(body);
    if (!parsed.success) throw new HttpError(400, `Failed to validate agent::Call: ${z.prettifyError(parsed.error)}`);
    const { type, list_files, read_file } = parsed.data;
    switch (type) {
      case 'GET_HEALTH':
        return { type, get_health: { healthy: true } };
      case 'GET_VERSION':
        return { type, get_version: { version_info: { version: MESOS_VERSION } } };
      case 'GET_AGENT':
        return { type, get_agent: getAgent(view()) };
      case 'GET_TASKS':
        return { type, get_tasks: getTasks(view()) };
      case 'GET_EXECUTORS':
        return { type, get_executors: getExecutors(view()) };
      case 'GET_FRAMEWORKS':
        return { type, get_frameworks: getFrameworks(view()) };
      case 'GET_STATE':
        return { type, get_state: getState(view()) };
      case 'GET_CONTAINERS':
        return { type, get_containers: getContainers(view()) };
      case 'LIST_FILES': {
        if (list_files === undefined) throw new HttpError(400, "Expecting 'list_files' to be present");
        const entries = await files.browse(list_files.path);
        return { type, list_files: { file_infos: entries.map(fileInfo) } };
      }
      case 'READ_FILE': {
        if (read_file === undefined) throw new HttpError(400, "Expecting 'read_file' to be present");
        const { path, offset, length } = read_file;
        const { data, size } = await files.read(path, offset, length ?? Number.MAX_SAFE_INTEGER);
        return { type, read_file: { size, data: data.toString('base64') } };
      }
      default:
        throw new HttpError(501, `The embedded agent does not answer ${type}`);
    }
  }

  return createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else if (error instanceof HttpError) sendText(response, error.status, error.message);
      else sendText(response, 500, error instanceof Error ? error.message : String(error));
    });
  });
}

function pathOf(query: URLSearchParams): string {
  const path = query.get('path');
  if (path === null || path === '') throw new HttpError(400, 'Expecting path=value in query.');
  return path;
}

function numberOf(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const parsed = wholeNumber.safeParse(text);
  if (!parsed.success) throw new HttpError(400, `Failed to parse ${name}: '${text}' is not a whole number`);
  return parsed.data;
}

/** `/files/browse` writes the mode as `ls -l` does. */
function withModeText(entry: FileEntry): Record<string, unknown> {
  const { mode, uid, gid, ...rest } = entry;
  const kind = (mode & 0o170000) === 0o040000 ? 'd' : '-';
  const bits = [6, 3, 0].map((shift) => {
    const bit = (mode >> shift) & 7;
    return `${bit & 4 ? 'r' : '-'}${bit & 2 ? 'w' : '-'}${bit & 1 ? 'x' : '-'}`;
  });
  return { ...rest, mode: kind + bits.join(''), uid: String(uid), gid: String(gid) };
}

function fileInfo({ path, nlink, size, mtime, mode, uid, gid }: FileEntry): Record<string, unknown> {
  return { path, nlink, size, mtime: { nanoseconds: mtime * 1e9 }, mode, uid: String(uid), gid: String(gid) };
}
