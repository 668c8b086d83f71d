/**
 * Takes the README's picture: `node test/setup/screenshot.mjs`. Starts a mesh with the demo, waits until the dashboard has
 * some traffic to show, writes docs/images/dashboard.png, and stops.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { findChromium } from './system-packages.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const PICTURE = join(ROOT, 'docs', 'images', 'dashboard.png');
const VIEW = { width: 1440, height: 760 };
/** Long enough for the chart to have a shape. */
const TRAFFIC_MS = 60_000;

const executablePath = await findChromium();
if (executablePath === null) throw new Error('no Chromium or Chrome is installed');

const cluster = spawn(
  process.execPath,
  [join(ROOT, 'dist', 'nodemesh.mjs'), 'local', '--json', '--load', '40', '--agents', '5', ...process.argv.slice(2)],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const ended = once(cluster, 'exit');
try {
  const [line] = await Promise.race([once(createInterface(cluster.stdout), 'line'), ended]);
  /** @type {{ scheduler: string }} */
  const ready = JSON.parse(String(line));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage({ viewport: VIEW, deviceScaleFactor: 1 });
  await page.goto(`${ready.scheduler}/`);
  await page.waitForTimeout(TRAFFIC_MS);
  await page.screenshot({ path: PICTURE });
  await browser.close();
  process.stdout.write(`${PICTURE}\n`);
} finally {
  cluster.kill('SIGTERM');
  await ended;
}
