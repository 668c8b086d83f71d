/**
 * What a proxy knows, on disk: the table, the highest epoch, the peers' key, where the scheduler was. So a worker or a
 * task starts again without the scheduler. One JSON text a line, so that it is written in slices; the last line holds a
 * checksum of all before it, so a file that was torn by a crash is not believed.
 */
import { createHash, type Hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MeshDocument, PeerAgent, Service } from './contract.ts';

const FILE = 'last-snapshot.jsonl';
const UNFINISHED = /^last-snapshot\.jsonl\.(\d+)\.new$/;
const FORMAT = 2;
/** With lines of services whose endpoints came one by one, which is written only where there are such. */
const FORMAT_FILLED = 3;
const DEBOUNCE_MS = 100;
/** So many times the length of a write passes before the next: a large table that changes often must not busy the disk. */
const PAUSE_RATIO = 20;
/** Lines written in one turn of the loop. */
const SLICE_BYTES = 64 * 1024;
/** A service with more endpoints takes several lines, so that no line takes long. */
const ENDPOINTS_A_LINE = 100;

export interface LastSnapshot {
  readonly epoch: number;
  /** Null while no table was ever complete. */
  readonly revision: number | null;
  readonly peerKey: string | null;
  /** What a leader said last. */
  readonly schedulers: readonly string[];
  readonly services: readonly Service[];
  readonly agents: readonly PeerAgent[];
  readonly documents: readonly MeshDocument[];
  /** Services whose endpoints came one by one; `services` has none of them. */
  readonly filled: readonly Service[];
}

type Head = Omit<LastSnapshot, 'services' | 'agents' | 'documents' | 'filled'> & { readonly format: number };
type Line =
  | { readonly service: Service }
  | { readonly filled: Service }
  | { readonly agent: PeerAgent }
  | { readonly document: MeshDocument };

export class SnapshotFile {
  /** Writes that failed: a full disk, a directory that is gone. */
  failures = 0;
  private readonly path: string;
  private readonly collect: () => LastSnapshot;
  private timer: NodeJS.Timeout | null = null;
  private writing: Promise<void> | null = null;
  private dirty = false;
  private lastWriteMs = 0;

  /** `collect` gives what is to be written at the time of writing. Throws where the directory cannot be made. */
  constructor(directory: string, collect: () => LastSnapshot) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    removeUnfinished(directory);
    this.path = join(directory, FILE);
    this.collect = collect;
  }

  /** Something changed. It is written soon; changes that come in quick succession are written together. */
  touch(): void {
    this.dirty = true;
    if (this.timer !== null || this.writing !== null) return;
    this.timer = setTimeout(() => void this.writeNow(), Math.max(DEBOUNCE_MS, PAUSE_RATIO * this.lastWriteMs));
  }

  /** Resolves when all that has changed is on disk. Never rejects: a proxy serves on without its disk. */
  async flush(): Promise<void> {
    await this.writing;
    if (this.dirty) await this.writeNow();
  }

  private writeNow(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.dirty = false;
    const startedAt = performance.now();
    const writing = this.write(this.collect())
      .catch(() => {
        this.failures += 1;
      })
      .then(() => {
        this.writing = null;
        this.lastWriteMs = performance.now() - startedAt;
        if (this.dirty) this.touch();
      });
    this.writing = writing;
    return writing;
  }

  private async write({ services, agents, documents, filled, ...head }: LastSnapshot): Promise<void> {
    // Of two workers, one of which takes over from the other, each writes a file of its own.
    const temporary = `${this.path}.${process.pid}.new`;
    const file = await open(temporary, 'w', 0o600);
    try {
      const hash = createHash('sha256');
      const isBound = documents.some(({ kind }) => kind === 'outline') || filled.length > 0;
      let text = line({ format: isBound ? FORMAT_FILLED : FORMAT, ...head } satisfies Head);
      for (const record of records({ services, agents, documents, filled })) {
        text += line(record);
        if (text.length < SLICE_BYTES) continue;
        await write(file, hash, text);
        text = '';
        await nextTurn();
      }
      await write(file, hash, text);
      await file.write(line({ sha256: hash.digest('hex') }));
    } finally {
      await file.close();
    }
    await rename(temporary, this.path);
  }
}

/** What workers left that died while they wrote. */
function removeUnfinished(directory: string): void {
  for (const name of readdirSync(directory)) {
    const [, pid] = UNFINISHED.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(directory, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** What is on disk, or null where there is nothing, or nothing that can be believed; then `why` says so. */
export function loadSnapshot(directory: string): {
  readonly snapshot: LastSnapshot | null;
  readonly why: string | null;
  /** When it was written, milliseconds since the epoch; null where there is nothing. */
  readonly savedAt: number | null;
} {
  let text: string;
  let savedAt: number;
  try {
    text = readFileSync(join(directory, FILE), 'utf8');
    savedAt = statSync(join(directory, FILE)).mtimeMs;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return { snapshot: null, why: code === 'ENOENT' ? null : code, savedAt: null };
  }
  try {
    return { snapshot: parse(text), why: null, savedAt };
  } catch (error) {
    return { snapshot: null, why: error instanceof Error ? error.message : String(error), savedAt: null };
  }
}

function parse(text: string): LastSnapshot {
  const body = text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1);
  const checksum = (JSON.parse(text.slice(body.length)) as { sha256?: unknown }).sha256;
  if (checksum !== createHash('sha256').update(body).digest('hex')) throw new Error('the checksum is wrong');
  // The checksum says that we wrote it, so its shape is what `format` says.
  const [first = '', ...rest] = body.trimEnd().split('\n');
  const { format, ...head } = JSON.parse(first) as Head;
  if (format !== FORMAT && format !== FORMAT_FILLED) throw new Error(`format ${format} is not ${FORMAT_FILLED}`);
  const services = new Map<string, Service>();
  const filled = new Map<string, Service>();
  const agents: PeerAgent[] = [];
  const documents: MeshDocument[] = [];
  for (const record of rest) {
    const parsed = JSON.parse(record) as Line;
    if ('agent' in parsed) {
      agents.push(parsed.agent);
      continue;
    }
    if ('document' in parsed) {
      documents.push(parsed.document);
      continue;
    }
    if ('filled' in parsed) append(filled, parsed.filled);
    else append(services, parsed.service);
  }
  return { ...head, services: [...services.values()], agents, documents, filled: [...filled.values()] };
}

function append(services: Map<string, Service>, more: Service): void {
  const begun = services.get(more.name);
  if (begun === undefined) services.set(more.name, more);
  else begun.endpoints.push(...more.endpoints);
}

function* records({
  services,
  agents,
  documents,
  filled,
}: Pick<LastSnapshot, 'services' | 'agents' | 'documents' | 'filled'>): Generator<Line> {
  for (const service of services) for (const some of inLines(service)) yield { service: some };
  for (const service of filled) for (const some of inLines(service)) yield { filled: some };
  for (const agent of agents) yield { agent };
  for (const document of documents) yield { document };
}

function* inLines({ name, endpoints }: Service): Generator<Service> {
  let from = 0;
  do {
    yield { name, endpoints: endpoints.slice(from, from + ENDPOINTS_A_LINE) };
    from += ENDPOINTS_A_LINE;
  } while (from < endpoints.length);
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

async function write(file: Awaited<ReturnType<typeof open>>, hash: Hash, text: string): Promise<void> {
  hash.update(text);
  await file.write(text);
}
