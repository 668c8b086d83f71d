/**
 * Archives of a few plain files, in POSIX' ustar format (pax(1), "ustar Interchange Format"): as many bytes as the files
 * need, the same for the same files, and readable by any tar. Written without owner and time, read without trusting what
 * is read: links and directories are passed over, and what is too large is refused.
 */

const BLOCK = 512;
const NAME_BYTES = 100;
/** Larger sizes do not fit into eleven octal digits. */
const MAX_SIZE = 8 ** 11 - 1;
/** 1980-01-01: the oldest time that a zip file could hold too, so no tool is surprised. Seconds since the epoch. */
const MTIME = 315_532_800;
const PLAIN_FILE = '0';

export interface TarEntry {
  /** At most 100 bytes. */
  readonly name: string;
  readonly isExecutable: boolean;
  readonly body: Buffer;
}

/** The archive's bytes, piece by piece. @throws for a name or size that the format does not hold. */
export function* tarOf(entries: readonly TarEntry[]): Generator<Buffer> {
  for (const entry of entries) {
    yield headerOf(entry);
    yield entry.body;
    yield Buffer.alloc(paddingOf(entry.body.length));
  }
  yield Buffer.alloc(2 * BLOCK);
}

function headerOf({ name, isExecutable, body }: TarEntry): Buffer {
  if (Buffer.byteLength(name) > NAME_BYTES) throw new Error(`the name ${name} is too long for an archive`);
  if (body.length > MAX_SIZE) throw new Error(`${name} is too large for an archive`);
  const header = Buffer.alloc(BLOCK);
  const text = (at: number, value: string): number => header.write(value, at, 'utf8');
  const octal = (at: number, digits: number, value: number): number =>
    text(at, value.toString(8).padStart(digits, '0'));
  text(0, name);
  octal(100, 7, isExecutable ? 0o755 : 0o644);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, body.length);
  octal(136, 11, MTIME);
  text(156, PLAIN_FILE);
  text(257, 'ustar\0' + '00');
  octal(148, 6, checksumOf(header));
  text(154, '\0 ');
  return header;
}

export interface ReadLimits {
  /** Bytes of one file that is wanted. */
  readonly file: number;
  /** Bytes of the whole archive, unpacked. */
  readonly archive: number;
}

/**
 * The files of these names, from the chunks of an archive; stops reading when it has them all. @throws where the chunks
 * are no archive, or more than the limits allow.
 */
export async function readTar(
  chunks: AsyncIterable<Buffer>,
  names: readonly string[],
  limits: ReadLimits,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const blocks = new Blocks(chunks, limits.archive);
  while (found.size < names.length) {
    const header = await blocks.take(BLOCK);
    // Two blocks of zeros end an archive; one is enough to know.
    if (header.every((byte) => byte === 0)) break;
    const { name, size, isFile } = parseHeader(header);
    const whole = size + paddingOf(size);
    if (isFile && names.includes(name)) {
      if (size > limits.file) throw new Error(`${name} has ${size} bytes, and at most ${limits.file} are taken`);
      found.set(name, (await blocks.take(whole)).subarray(0, size));
    } else {
      await blocks.skip(whole);
    }
  }
  return found;
}

function parseHeader(header: Buffer): { name: string; size: number; isFile: boolean } {
  const text = (at: number, length: number): string => {
    const field = header.subarray(at, at + length);
    const end = field.indexOf(0);
    return field.toString('utf8', 0, end < 0 ? length : end);
  };
  const octal = (at: number, length: number): number => {
    const digits = text(at, length).trim();
    if (!/^[0-7]{1,12}$/.test(digits)) throw new Error('this is no tar archive: a number in a header is none');
    return Number.parseInt(digits, 8);
  };
  if (text(257, 5) !== 'ustar') throw new Error('this is no tar archive: a header is not ustar');
  if (octal(148, 8) !== checksumOf(header))
    throw new Error('the archive is damaged: the checksum of a header is wrong');
  const prefix = text(345, 155);
  const type = text(156, 1);
  return {
    name: prefix === '' ? text(0, NAME_BYTES) : `${prefix}/${text(0, NAME_BYTES)}`,
    size: octal(124, 12),
    isFile: type === PLAIN_FILE || type === '',
  };
}

/** The sum of all bytes, those of the checksum itself taken for blanks. */
function checksumOf(header: Buffer): number {
  let sum = 8 * 0x20;
  for (const [at, byte] of header.entries()) if (at < 148 || at >= 156) sum += byte;
  return sum;
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** Bytes in the amounts that are asked for, whatever the chunks are. */
class Blocks {
  private readonly chunks: AsyncIterator<Buffer>;
  private readonly most: number;
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private read = 0;

  constructor(chunks: AsyncIterable<Buffer>, most: number) {
    this.chunks = chunks[Symbol.asyncIterator]();
    this.most = most;
  }

  async take(bytes: number): Promise<Buffer> {
    while (this.pendingBytes < bytes) this.push(await this.next());
    const all = Buffer.concat(this.pending);
    this.pending = [];
    this.pendingBytes = 0;
    if (all.length > bytes) this.push(all.subarray(bytes));
    return all.subarray(0, bytes);
  }

  async skip(bytes: number): Promise<void> {
    let left = bytes;
    while (left > this.pendingBytes) {
      left -= this.pendingBytes;
      this.pending = [];
      this.pendingBytes = 0;
      this.push(await this.next());
    }
    await this.take(left);
  }

  private push(chunk: Buffer): void {
    this.pending.push(chunk);
    this.pendingBytes += chunk.length;
  }

  private async next(): Promise<Buffer> {
    const { done, value } = await this.chunks.next();
    if (done === true) throw new Error('the archive ends too early');
    this.read += value.length;
    if (this.read > this.most) throw new Error(`the archive has more than ${this.most} bytes`);
    return value;
  }
}
