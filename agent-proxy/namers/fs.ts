/**
 * io.l5d.fs: names are files below a root directory, and their lines are addresses. Edits take effect as they are made;
 * a root directory that is not there is looked for again.
 */
import { readFile, stat } from 'node:fs/promises';
import { type Activity, type ActivityState, type Unsubscribe, Var } from '../routing/activity.ts';
import type { NameTree } from '../routing/name-tree.ts';
import type { Namer, NamerLeaf } from '../routing/names.ts';
import type { Path } from '../routing/path.ts';
import { parseAddressLines } from './address-lines.ts';
import { AddressVar } from './address-var.ts';
import { type Directory, type DirectoryWatches, directoriesOf } from './directory-watches.ts';
import { findFile, isFile, listFiles, readShortFile } from './fs-files.ts';
import { atEachAddress, HostedEndpoints } from './hosted-endpoints.ts';
import type { InetAddresses } from './inet.ts';
import { type AddressesState, describeAddresses } from './namer-state.ts';
import { RepeatedLook } from './repeated-look.ts';

export interface FsNamerOptions {
  readonly prefix: Path;
  readonly rootDir: string;
  readonly inet: InetAddresses;
  readonly watches: DirectoryWatches;
  /** Hears of lines that are left out, one sentence for each change of a file. */
  readonly warn: (message: string) => void;
}

const MAX_FILE_BYTES = 1024 * 1024;
const NEG: NameTree<NamerLeaf> = { kind: 'neg' };

export class FsNamer implements Namer {
  readonly prefix: Path;
  private readonly options: FsNamerOptions;
  /** Files that somebody observes, by their path. */
  private readonly files = new Map<string, AddressFile>();

  constructor(options: FsNamerOptions) {
    this.prefix = options.prefix;
    this.options = options;
  }

  lookup(rest: Path): Activity<NameTree<NamerLeaf>> {
    return new FsLookup(rest, {
      rootDir: this.options.rootDir,
      watches: this.options.watches,
      leaf: (path, depth) => this.leaf(rest, path, depth),
    });
  }

  /** The names that there are, as paths below the prefix. */
  names(): Promise<readonly Path[]> {
    return listFiles(this.options.rootDir);
  }

  /** For people: what is known of the files that somebody observes. */
  describe(): { readonly rootDir: string; readonly files: Readonly<Record<string, AddressesState>> } {
    const files = [...this.files].map(([path, { addresses }]) => [path, describeAddresses(addresses.state)] as const);
    return { rootDir: this.options.rootDir, files: Object.fromEntries(files) };
  }

  private leaf(rest: Path, path: string, depth: number): NameTree<NamerLeaf> {
    const id = ['#'].concat(this.prefix, rest.slice(0, depth));
    const addresses = this.file(path, id).addresses;
    return { kind: 'leaf', value: { kind: 'bound', bound: { id, residual: rest.slice(depth), addresses } } };
  }

  private file(path: string, id: Path): AddressFile {
    const known = this.files.get(path);
    if (known !== undefined) return known;
    const { inet, warn } = this.options;
    const file = new AddressFile(path, {
      service: id.slice(1 + this.prefix.length).join('/'),
      inet,
      warn,
      watches: this.options.watches,
      started: () => this.files.set(path, file),
      stopped: () => {
        if (this.files.get(path) === file) this.files.delete(path);
      },
    });
    return file;
  }
}

interface FsLookupOptions {
  readonly rootDir: string;
  readonly watches: DirectoryWatches;
  readonly leaf: (path: string, depth: number) => NameTree<NamerLeaf>;
}

/** Which file a path leads to, while somebody wants to know. */
class FsLookup implements Activity<NameTree<NamerLeaf>> {
  private readonly rest: Path;
  private readonly options: FsLookupOptions;
  private readonly tree: Var<NameTree<NamerLeaf>>;
  /** The file found last, empty for none: the same one is not announced again. */
  private found: string | null = null;

  constructor(rest: Path, options: FsLookupOptions) {
    this.rest = rest;
    this.options = options;
    const looks = new RepeatedLook(
      options.watches,
      () => this.look(),
      () => this.isStillThere(),
    );
    this.tree = new Var<NameTree<NamerLeaf>>(undefined, () => looks.start());
  }

  get state(): ActivityState<NameTree<NamerLeaf>> {
    return this.tree.state;
  }

  observe(listener: () => void): Unsubscribe {
    return this.tree.observe(listener);
  }

  private async look(): Promise<readonly Directory[]> {
    const found = await findFile(this.options.rootDir, this.rest);
    if (found.kind === 'failed') {
      this.tree.failed(found.reason);
    } else {
      const path = found.kind === 'file' ? found.path : '';
      if (path !== this.found) {
        this.found = path;
        this.tree.ok(found.kind === 'file' ? this.options.leaf(found.path, found.depth) : NEG);
      }
    }
    return found.directories;
  }

  /** A file cannot become another place on the way: where there still is one, nothing is different. */
  private isStillThere(): boolean {
    return this.found !== null && this.found !== '' && isFile(this.found);
  }
}

interface AddressFileOptions {
  readonly service: string;
  readonly inet: InetAddresses;
  readonly warn: (message: string) => void;
  readonly watches: DirectoryWatches;
  readonly started: () => void;
  readonly stopped: () => void;
}

/** The addresses of one file, read again when something happens in its directory. */
class AddressFile {
  readonly addresses: AddressVar;
  private readonly path: string;
  private readonly options: AddressFileOptions;
  private readonly endpoints: HostedEndpoints;
  private text: string | null = null;

  constructor(path: string, options: AddressFileOptions) {
    this.path = path;
    this.options = options;
    const looks = new RepeatedLook(
      options.watches,
      () => this.look(),
      () => this.glance(),
    );
    this.addresses = new AddressVar(() => {
      options.started();
      const stop = looks.start();
      return () => {
        stop();
        this.endpoints.close();
        // Whoever observes it again needs its hosts again.
        this.text = null;
        options.stopped();
      };
    });
    this.endpoints = new HostedEndpoints(options.inet, this.addresses, atEachAddress);
  }

  private async look(): Promise<readonly Directory[]> {
    const { path } = this;
    try {
      const directories = await directoriesOf(path);
      const { size } = await stat(path);
      if (size > MAX_FILE_BYTES) {
        this.addresses.failed(`${path} has ${size} bytes, and at most ${MAX_FILE_BYTES} are read`);
      } else {
        this.read(await readFile(path, 'utf8'));
      }
      return directories;
    } catch (error) {
      // A file that went away is Neg, as a name that was never there; the directory is looked at by the look-up too.
      if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') {
        this.text = null;
        this.addresses.neg();
      } else {
        this.addresses.failed(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      }
      return [];
    }
  }

  private glance(): boolean {
    const text = readShortFile(this.path);
    if (text === null) return false;
    this.read(text);
    return true;
  }

  private read(text: string): void {
    if (!this.addresses.isObserved || text === this.text) return;
    this.text = text;
    const { endpoints, faults } = parseAddressLines(text, this.options.service);
    const [first] = faults;
    if (first !== undefined) {
      const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
      this.options.warn(`${this.path} ${first}: it is left out${more}`);
    }
    this.endpoints.set(endpoints);
  }
}
