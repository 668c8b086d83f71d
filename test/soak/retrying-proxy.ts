/** A proxy of linkerd's kind before all nodes: it spreads requests over their proxies, and repeats GETs that fail. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StandaloneProxy, startProxy } from '../fixtures/standalone-proxy.ts';

export class RetryingProxy {
  readonly #proxy: StandaloneProxy;
  readonly #directory: string;

  private constructor(proxy: StandaloneProxy, directory: string) {
    this.#proxy = proxy;
    this.#directory = directory;
  }

  static async start(nodes: readonly string[]): Promise<RetryingProxy> {
    const directory = await mkdtemp(join(tmpdir(), 'nodemesh-soak-'));
    await writeNodes(directory, nodes);
    const proxy = await startProxy(`admin: { ip: 127.0.0.1, port: 0 }
namers:
  - kind: io.l5d.fs
    rootDir: ${directory}
routers:
  - protocol: http
    label: soak
    dtab: |
      /svc/* => /#/io.l5d.fs/nodes;
    service:
      responseClassifier: { kind: io.l5d.http.retryableRead5XX }
    servers:
      - { ip: 127.0.0.1, port: 0 }
`);
    return new RetryingProxy(proxy, directory);
  }

  get url(): string {
    return this.#proxy.url;
  }

  /** `nodes` as `http://ip:port`. */
  async setNodes(nodes: readonly string[]): Promise<void> {
    await writeNodes(this.#directory, nodes);
  }

  async stop(): Promise<void> {
    await this.#proxy.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** As a whole or not at all: a reader never sees half of it. */
async function writeNodes(directory: string, nodes: readonly string[]): Promise<void> {
  const lines = nodes.map((url) => new URL(url)).map(({ hostname, port }) => `${hostname} ${port}\n`);
  const unfinished = join(directory, '.nodes');
  await writeFile(unfinished, lines.join(''));
  await rename(unfinished, join(directory, 'nodes'));
}
