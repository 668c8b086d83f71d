/** Our archives are read by the system's tar, and its archives by us; what is wrong or too large is refused. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTar, type TarEntry, tarOf } from '../../../agent-proxy/control/tar.ts';
import { useTempDir } from '../../fixtures/proxy.ts';

const LIMITS = { file: 1_000_000, archive: 10_000_000 };

function bytesOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...tarOf(entries)]);
}

/** Cut into chunks of this size. */
async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("the system's tar unpacks what we write, with its modes", async () => {
  const directory = await useTempDir();
  const archive = join(directory, 'a.tar');
  const entries = [
    { name: 'bin/run', isExecutable: true, body: Buffer.from('#!/bin/sh\n') },
    { name: 'empty', isExecutable: false, body: Buffer.alloc(0) },
    { name: 'block', isExecutable: false, body: Buffer.alloc(512, 'x') },
  ];
  writeFileSync(archive, bytesOf(entries));
  execFileSync('tar', ['-xf', archive, '-C', directory]);
  for (const { name, body, isExecutable } of entries) {
    expect(readFileSync(join(directory, name))).toEqual(body);
    expect((statSync(join(directory, name)).mode & 0o111) !== 0).toBe(isExecutable);
  }
  const listing = execFileSync('tar', ['--numeric-owner', '--utc', '-tvf', archive]).toString();
  expect(listing).toMatch(/^-rwxr-xr-x 0\/0 +10 1980-01-01 00:00 bin\/run$/m);
});

test("we read what the system's tar packs, and pass over what is no file", async () => {
  const directory = await useTempDir();
  mkdirSync(join(directory, 'deep'));
  writeFileSync(join(directory, 'deep', 'file'), 'in a folder');
  symlinkSync('/etc/passwd', join(directory, 'wanted'));
  writeFileSync(join(directory, 'other'), 'x'.repeat(5_000));
  const words = ['-C', directory, '--format=ustar', '-cf', '-', 'deep', 'other', 'wanted'];
  const archive = execFileSync('tar', words);
  const read = await readTar(chunksOf(archive, 700), ['deep/file', 'wanted'], LIMITS);
  expect([...read.keys()]).toEqual(['deep/file']);
  expect(read.get('deep/file')?.toString()).toBe('in a folder');
});

test('what is written is read, however it is cut', async () => {
  const file = fc.record({ isExecutable: fc.boolean(), body: fc.uint8Array({ maxLength: 1_500 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(file, { maxLength: 5 }), fc.integer({ min: 1, max: 2_000 }), async (files, size) => {
      const entries = files.map(({ isExecutable, body }, at) => ({
        ...{ name: `file-${at}`, isExecutable, body: Buffer.from(body) },
      }));
      const read = await readTar(
        chunksOf(bytesOf(entries), size),
        entries.map(({ name }) => name),
        LIMITS,
      );
      expect([...read]).toEqual(entries.map(({ name, body }) => [name, body]));
    }),
  );
});

test('a damaged, a cut and an overlong archive are refused', async () => {
  const whole = bytesOf([{ name: 'a', isExecutable: false, body: Buffer.alloc(2_000, 'a') }]);
  const damaged = Buffer.from(whole);
  damaged.write('b', 0);
  const read = (bytes: Buffer, limits = LIMITS) => readTar(chunksOf(bytes, 512), ['a'], limits);
  await expect(read(damaged)).rejects.toThrow('the checksum of a header is wrong');
  await expect(read(whole.subarray(0, 1_000))).rejects.toThrow('the archive ends too early');
  await expect(read(Buffer.alloc(1_024, 'x'))).rejects.toThrow('this is no tar archive');
  await expect(read(whole, { file: 1_999, archive: 10_000 })).rejects.toThrow('a has 2000 bytes, and at most 1999');
  await expect(read(whole, { file: 5_000, archive: 1_500 })).rejects.toThrow('the archive has more than 1500 bytes');
});

test('names and sizes that the format does not hold are refused', () => {
  expect(() => bytesOf([{ name: 'x'.repeat(101), isExecutable: false, body: Buffer.alloc(0) }])).toThrow('is too long');
});
