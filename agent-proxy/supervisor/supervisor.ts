/**
 * The proxy's task: a small process that holds the listening sockets and keeps workers running on them. A worker that dies
 * is replaced at once by one that inherits the same sockets, with or without a scheduler; a new specification, or new code,
 * gets new workers beside the old ones, which then end without dropping a request.
 */
import type { GivenConfig, ProxySpec } from '../config/spec.ts';
import type { Log } from '../telemetry/log.ts';
import type { CodeStore } from './code-store.ts';
import { RefusedConfig } from './config-reader.ts';
import { Configurations } from './configurations.ts';
import { Generation, type GenerationEvents } from './generation.ts';
import { HeldSockets } from './held-sockets.ts';
import { keepConfig } from './last-config.ts';
import { BindError } from './sockets.ts';
import { type Code, Upgrades } from './upgrades.ts';

/** A predecessor that is dying may hold its ports for so long. */
const BIND_PATIENCE_MS = 3_000;
const BIND_RETRY_MS = 50;
/** Workers of a new specification that do not listen by then never will. */
const RELOAD_PATIENCE_MS = 10_000;
/** Of new code, and of a configuration that the scheduler gives: nobody waits for either. */
const UPGRADE_PATIENCE_MS = 30_000;
/** Generations that may finish what they have, each for as long as it takes; beyond that the oldest is cut. */
const MOST_LEAVING = 4;

export interface SupervisorOptions {
  readonly spec: ProxySpec;
  readonly workers: number;
  /** Arguments after process.execPath that run a worker. */
  readonly launch: readonly string[];
  /** Where the code of upgrades comes from. */
  readonly codes: Pick<CodeStore, 'fetch' | 'keepOnly'>;
  readonly log: Log;
  /** Reads the configuration again; rejects with an Error that says why it cannot be used. */
  readonly reread: () => Promise<ProxySpec>;
  /** What the proxy is under a configuration of its scheduler, by the code that `launch` runs. Rejects as `reread` does. */
  readonly meshSpec: (spec: ProxySpec, given: GivenConfig, launch: readonly string[]) => Promise<ProxySpec>;
  /** What runs a worker; this Node.js itself unless a test says otherwise. */
  readonly program?: string;
}

/** What is to run. */
interface Successor {
  readonly spec: ProxySpec;
  readonly code: Code;
}

/**
 * - `starting`: sockets are bound, and not all workers have listened on them yet; a taken port may still show up.
 * - `running`: workers serve, or new ones are on their way.
 * - `stopping`: workers drain; nothing is started again.
 */
type Phase = 'starting' | 'running' | 'stopping';

/** Runs until it is told to stop (SIGTERM, SIGINT, `/admin/shutdown`); rejects when its ports cannot be had. */
export function supervise(options: SupervisorOptions): Promise<void> {
  return new Promise((resolve, reject) => new Supervisor(options, resolve, reject).begin());
}

class Supervisor {
  private readonly options: SupervisorOptions;
  private readonly resolve: () => void;
  private readonly reject: (error: Error) => void;
  private readonly patienceEnds = Date.now() + BIND_PATIENCE_MS;
  private readonly sockets = new HeldSockets();
  /** What serves now; null until it is started. */
  private current: Generation | null = null;
  /** What was asked for; the ports that came of it are in the specification of `current`. */
  private spec: ProxySpec;
  private readonly upgrades: Upgrades;
  private readonly configurations: Configurations;
  /** Of the last generation that took over; one takes over at a time. */
  private turn: Promise<void> = Promise.resolve();
  /** All that are not gone, oldest first: those that finish what they have, `current`, and one that is to take over. */
  private readonly generations = new Set<Generation>();
  private phase: Phase = 'starting';
  private reloading: 'no' | 'yes' | 'again' = 'no';
  private readonly stopSignals = new Set<NodeJS.Signals>();
  private timer: NodeJS.Timeout | null = null;
  private readonly onStop = (signal: NodeJS.Signals): void => this.told(signal);
  private readonly onHangUp = (): void => this.reload();

  constructor(options: SupervisorOptions, resolve: () => void, reject: (error: Error) => void) {
    this.options = options;
    this.resolve = resolve;
    this.reject = reject;
    this.spec = options.spec;
    const { log, codes, launch } = options;
    this.configurations = new Configurations(
      {
        log,
        take: (wanted) => this.replaceBy(() => this.configured(wanted), UPGRADE_PATIENCE_MS),
        rename: (wanted) => this.renamed(wanted),
        keep: (wanted) => keepConfig(this.spec.dataDir, wanted),
        tell: (refusal) => this.current?.tellRefusal(refusal),
      },
      options.spec.mesh?.config ?? null,
    );
    this.upgrades = new Upgrades(
      {
        log,
        fetch: (wanted) => codes.fetch(wanted),
        keepOnly: (sha256s) => codes.keepOnly(sha256s),
        replaceBy: (code) => this.replaceBy(() => this.upgraded(code), UPGRADE_PATIENCE_MS),
        tell: (upgrade) => this.current?.tellUpgrade(upgrade),
      },
      launch,
    );
  }

  begin(): void {
    process.on('SIGTERM', this.onStop);
    process.on('SIGINT', this.onStop);
    process.on('SIGHUP', this.onHangUp);
    this.start();
  }

  // ---- the start ------------------------------------------------------------------------------------------------------

  private start(): void {
    try {
      this.current = this.generation(this.spec, this.upgrades.code, false, {
        listening: () => {
          this.phase = 'running';
        },
        listenFailed: (error) => this.bindFailed(error),
        stumbled: () => undefined,
      });
    } catch (error) {
      this.bindFailed(error);
      return;
    }
    this.current.start();
  }

  private bindFailed(error: unknown): void {
    this.current?.kill();
    this.current = null;
    this.sockets.keepOnly([]);
    if (error instanceof BindError && error.code === 'EADDRINUSE' && Date.now() < this.patienceEnds) {
      this.timer = setTimeout(() => this.start(), BIND_RETRY_MS);
      return;
    }
    this.finish(error instanceof Error ? error : new Error(String(error)));
  }

  /** Workers for a specification, not started yet, on sockets that are bound now if they are not yet. Throws a BindError. */
  private generation(
    spec: ProxySpec,
    code: Code,
    takesOver: boolean,
    events: Pick<GenerationEvents, 'listening' | 'listenFailed' | 'stumbled'>,
  ): Generation {
    const { log, workers, program } = this.options;
    const { upgrades, configurations } = this;
    const sockets = this.sockets.hold(spec.listeners);
    // Port 0 was settled by the bind.
    const listeners = spec.listeners.map((listener, at) => ({ ...listener, port: sockets[at]?.port ?? listener.port }));
    const generation: Generation = new Generation(
      {
        spec: { ...spec, listeners },
        fds: sockets.map(({ fd }) => fd),
        count: workers,
        program: program ?? process.execPath,
        words: code.words,
        takesOver,
        upgrade: () => upgrades.report,
        configRefusal: () => configurations.refusal,
        log,
      },
      {
        ...events,
        // Those that finish what they have, or are yet to take over, have no say.
        died: () => this.current === generation && upgrades.died(),
        reached: () => this.current === generation && upgrades.reached(),
        configAsked: (wanted) => this.current === generation && configurations.ask(wanted),
        upgradeAsked: (wanted, running) => this.current === generation && upgrades.ask(wanted, running),
        shutdown: () => this.stop(),
        ended: () => this.ended(generation),
      },
    );
    this.generations.add(generation);
    return generation;
  }

  private ended(generation: Generation): void {
    this.generations.delete(generation);
    if (this.phase === 'stopping' && this.generations.size === 0) this.finish(null);
  }

  // ---- another configuration ------------------------------------------------------------------------------------------

  /** Reads the configuration again. Whatever is wrong with it: what runs goes on. */
  private reload(): void {
    const { log, reread } = this.options;
    if (this.phase !== 'running' || this.reloading !== 'no') {
      // Asked for while one is under way: that one may have read the file already.
      if (this.phase !== 'stopping' && this.reloading !== 'no') this.reloading = 'again';
      return;
    }
    this.reloading = 'yes';
    reread()
      .then((spec) => this.replaceBy(() => Promise.resolve({ spec, code: this.upgrades.code }), RELOAD_PATIENCE_MS))
      .then(
        () => log.info('configuration reloaded'),
        (error: unknown) => {
          for (const line of linesOf(error)) log.warn(line);
          log.warn('configuration not reloaded: the one before is still in use');
        },
      )
      .finally(() => {
        const isAgain = this.reloading === 'again';
        this.reloading = 'no';
        if (isAgain) this.reload();
      })
      // Logging does not throw.
      .catch(() => undefined);
  }

  /** What a configuration of the scheduler makes of the proxy. */
  private async configured(wanted: GivenConfig): Promise<Successor> {
    const { code } = this.upgrades;
    return { spec: await this.options.meshSpec(this.spec, wanted, code.words), code };
  }

  /** Another code may make something else of the same configuration. */
  private async upgraded(code: Code): Promise<Successor> {
    const { spec } = this;
    const given = spec.mesh?.config ?? null;
    return { spec: given === null ? spec : await this.options.meshSpec(spec, given, code.words), code };
  }

  private renamed(config: GivenConfig): void {
    const { mesh } = this.spec;
    if (mesh !== null) this.spec = { ...this.spec, mesh: { ...mesh, config } };
    this.current?.rename(config);
  }

  /** New workers take over from those that serve now, which finish what they have; when those before them have. */
  private replaceBy(successor: () => Promise<Successor>, patienceMs: number): Promise<void> {
    const turn = this.turn.then(async () => this.succeed(await successor(), patienceMs));
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  private async succeed({ spec, code }: Successor, patienceMs: number): Promise<void> {
    const { current } = this;
    if (current === null || this.phase !== 'running') throw new Error('the proxy is not running');
    let next: Generation;
    try {
      next = await this.startBeside(spec, code, patienceMs);
    } catch (error) {
      // What was bound for the new one alone.
      this.sockets.keepOnly(this.spec.listeners);
      throw error;
    }
    this.current = next;
    this.spec = spec;
    current.drain('replaced', null);
    next.isAlone();
    this.sockets.keepOnly(spec.listeners);
    const [oldest] = this.generations;
    if (this.generations.size > MOST_LEAVING + 1) oldest?.kill();
  }

  /** Resolves when all workers listen; where they do not, they are gone, and it rejects. */
  private startBeside(spec: ProxySpec, code: Code, patienceMs: number): Promise<Generation> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        clearTimeout(patience);
        generation.kill();
        reject(error);
      };
      const generation = this.generation(spec, code, true, {
        listening: () => {
          clearTimeout(patience);
          if (this.phase === 'running') resolve(generation);
          else failed(new Error('the proxy is shutting down'));
        },
        listenFailed: failed,
        stumbled: () => failed(new Error('a new worker died before it listened')),
      });
      const patience = setTimeout(
        () => failed(new Error(`the new workers did not listen within ${patienceMs} ms`)),
        patienceMs,
      );
      generation.start();
    });
  }

  // ---- the end --------------------------------------------------------------------------------------------------------

  /** The same signal a second time: at once. (Of two kinds, one may come from the terminal and one from a parent.) */
  private told(signal: NodeJS.Signals): void {
    if (this.stopSignals.has(signal)) for (const generation of this.generations) generation.kill();
    else this.stop();
    this.stopSignals.add(signal);
  }

  private stop(): void {
    if (this.phase === 'stopping') return;
    this.phase = 'stopping';
    this.upgrades.stop();
    if (this.timer !== null) clearTimeout(this.timer);
    const { current } = this;
    const { shutdownGraceMs } = this.spec.admin;
    for (const generation of this.generations) {
      if (generation === current) generation.drain('over', shutdownGraceMs);
      else generation.killAfter(shutdownGraceMs);
    }
    // The kernel refuses new connections once the last holder of a listening socket has closed it.
    this.sockets.keepOnly([]);
    if (this.generations.size === 0) this.finish(null);
  }

  private finish(error: Error | null): void {
    this.phase = 'stopping';
    this.upgrades.stop();
    if (this.timer !== null) clearTimeout(this.timer);
    this.sockets.keepOnly([]);
    process.off('SIGTERM', this.onStop);
    process.off('SIGINT', this.onStop);
    process.off('SIGHUP', this.onHangUp);
    if (error === null) this.resolve();
    else this.reject(error);
  }
}

function linesOf(error: unknown): readonly string[] {
  if (error instanceof RefusedConfig) return error.lines;
  return [error instanceof Error ? error.message : String(error)];
}
