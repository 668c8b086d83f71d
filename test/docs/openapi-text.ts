/** docs/openapi.json, of the version in package.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../dcos-package/build/set-up.mjs';
import { openApiDocument } from '../../scheduler/api/openapi/document.ts';

export function openApiText(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return `${JSON.stringify(openApiDocument(version), null, 2)}\n`;
}
