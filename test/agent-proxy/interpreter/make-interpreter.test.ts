/** Interpreters as configured, binding names over real namers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { InterpreterConfig } from '../../../agent-proxy/config/schema/linkerd.ts';
import type { Endpoint, Service } from '../../../agent-proxy/control/contract.ts';
import { makeInterpreter } from '../../../agent-proxy/interpreter/make-interpreter.ts';
import { DirectoryWatches } from '../../../agent-proxy/namers/directory-watches.ts';
import { InetAddresses } from '../../../agent-proxy/namers/inet.ts';
import type { Activity } from '../../../agent-proxy/routing/activity.ts';
import type { Interpreter } from '../../../agent-proxy/routing/binding.ts';
import { readDtab } from '../../../agent-proxy/routing/dtab.ts';
import type { BoundTree } from '../../../agent-proxy/routing/evaluation.ts';
import { showPath } from '../../../agent-proxy/routing/path.ts';
import { ServiceTable, type TableFrame } from '../../../agent-proxy/routing/service-table.ts';
import { tableNamers } from '../../../agent-proxy/routing/table-names/table-namers.ts';
import { endpoint, snapshotFrames } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';

const common = { transformers: [] };
const SCHEDULER: InterpreterConfig = { kind: 'io.nodemesh.scheduler', namespace: 'default', ...common };

function make(config: InterpreterConfig, table: ServiceTable | null = null): Interpreter {
  const inet = new InetAddresses();
  const scheduler = table === null ? null : { table, ...tableNamers(table) };
  onTestFinished(() => scheduler?.close());
  return makeInterpreter(config, {
    namers: [],
    scheduler,
    inet: (host, port, refresh) => inet.of(host, port, refresh),
    transformers: [],
    watches: new DirectoryWatches(),
    localMayNameAddresses: false,
    warn: () => undefined,
  });
}

function bind(interpreter: Interpreter, path: string[], base = ''): () => string {
  const activity: Activity<BoundTree> = interpreter.bind(readDtab(base), [], path);
  onTestFinished(activity.observe(() => undefined));
  return () => {
    const { state } = activity;
    if (state.kind !== 'ok') return state.kind;
    const { value: tree } = state;
    return tree.kind === 'leaf' ? `${showPath(tree.value.id)} + ${showPath(tree.value.residual)}` : tree.kind;
  };
}

function service(name: string, ...ports: number[]): Service {
  const at = (port: number): Endpoint => endpoint({ service: name, instance: `${name}.${port}`, port });
  return { name, endpoints: ports.map(at) };
}

it('the default interpreter has the dtab of its router and nothing else', () => {
  const interpreter = make({ kind: 'default', ...common });
  expect(bind(interpreter, ['svc', 'web'], '/svc => /$/inet/127.1/80')()).toBe('/$/inet/127.1/80 + /web');
  expect(bind(interpreter, ['svc', 'web'])()).toBe('neg');
});

describe('the interpreter of the scheduler', () => {
  const snapshot = (table: ServiceTable, revision: number, ...services: Service[]) => {
    for (const frame of snapshotFrames(1, revision, services)) table.apply(frame as TableFrame);
  };

  it('binds hosts to apps of the table, in any spelling, and follows it', () => {
    const table = new ServiceTable();
    const interpreter = make(SCHEDULER, table);
    const web = bind(interpreter, ['svc', 'WEB.marathon.mesos:80']);
    expect(web()).toBe('pending');
    snapshot(table, 1, service('web', 1), service('team/api', 2));
    expect(web()).toBe('/#/io.l5d.marathon/web + /');
    expect(bind(interpreter, ['svc', 'api.team'])()).toBe('/#/io.l5d.marathon/team/api + /');
    expect(bind(interpreter, ['svc', 'other'])()).toBe('neg');
    snapshot(table, 2, service('team/api', 2));
    expect(web()).toBe('neg');
    snapshot(table, 3, service('web', 3));
    expect(web()).toBe('/#/io.l5d.marathon/web + /');
  });

  it("overrides the router's dtab, and falls back to it", () => {
    const table = new ServiceTable();
    snapshot(table, 1, service('web', 1), service('spare', 2));
    const interpreter = make(SCHEDULER, table);
    const base = '/svc/web => /#/io.l5d.marathon/spare';
    expect(bind(interpreter, ['svc', 'web'], base)()).toBe('/#/io.l5d.marathon/web + /');
    snapshot(table, 2, service('spare', 2));
    expect(bind(interpreter, ['svc', 'web'], base)()).toBe('/#/io.l5d.marathon/spare + /');
  });

  it('needs a scheduler', () => {
    expect(() => make(SCHEDULER)).toThrow(/works under a scheduler only/);
  });
});

it('the interpreter of a file binds live names anew when the file changes', async () => {
  const root = await mkdtemp(join(tmpdir(), 'interpreter-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const file = join(root, 'mesh.dtab');
  await writeFile(file, '/svc => /$/inet/127.0.0.1/1');
  const interpreter = make({ kind: 'io.l5d.fs', dtabFile: file, ...common });
  const web = bind(interpreter, ['svc', 'web']);
  await eventually('the first dtab', () => web() === '/$/inet/127.0.0.1/1 + /web');
  await writeFile(file, '/svc => /$/inet/127.0.0.1/2');
  await eventually('the second dtab', () => web() === '/$/inet/127.0.0.1/2 + /web');
  // A file goes below the dtab of its router.
  expect(bind(interpreter, ['svc', 'web'], '/svc => /$/nil')()).toBe('empty');
});
