/** Certificates for tests, made by openssl in a folder that goes with the test file. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Certificates {
  private readonly folder = mkdtempSync(join(tmpdir(), 'certificates-'));

  /** The path of a file: `<name>.pem` is a certificate, `<name>.key` its key. */
  file(name: string): string {
    return join(this.folder, name);
  }

  /** An authority, or a certificate for a host that one has signed. */
  make(name: string, subject: string, authority?: string): void {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', this.file(`${name}.key`)];
    const common = ['req', '-x509', ...key, '-out', this.file(`${name}.pem`), '-days', '2', '-subj', `/CN=${subject}`];
    const signed = ['-CA', this.file(`${authority}.pem`), '-CAkey', this.file(`${authority}.key`)];
    const leaf = ['-addext', `subjectAltName=DNS:${subject}`, '-addext', 'basicConstraints=CA:FALSE', ...signed];
    execFileSync('openssl', [...common, ...(authority === undefined ? [] : leaf)], { stdio: 'pipe' });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
