/** The demo app as a process: `node demo.mjs web|gen|word`. Bundled alone: an agent fetches it as one file. */
import { readDemoConfig } from './demo-config.ts';
import { DemoServer } from './demo-server.ts';

/** A request that hangs does not keep a task that was told to go: Mesos' default grace is 3 s. */
const LAST_MOMENT_MS = 2_500;

async function run(): Promise<void> {
  const server = new DemoServer(readDemoConfig(process.argv.slice(2), process.env));
  const port = await server.start();
  process.stdout.write(`listening on port ${port}\n`);
  const end = () => {
    setTimeout(() => process.exit(0), LAST_MOMENT_MS).unref();
    void server.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

run().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`demo: ${message}\n`);
  process.exitCode = 1;
});
