/** Child processes that lead a process group of their own, so that a signal reaches all that they started. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { CommandInfo } from '../../framework/mesos-http-client/messages.ts';
import type { Exit } from './task-status.ts';

export interface GroupSetting {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** File descriptors. */
  readonly stdout: number | 'ignore';
  readonly stderr: number | 'ignore';
}

/** A command's program and arguments: a shell's line, or `value` run as it stands with `arguments[0]` as its name. */
function programOf(command: CommandInfo): { file: string; argv0: string; args: string[] } {
  const value = command.value ?? '';
  if (command.shell ?? true) return { file: '/bin/sh', argv0: 'sh', args: ['-c', value] };
  const [argv0 = value, ...args] = command.arguments ?? [];
  return { file: value, argv0, args };
}

/**
 * Starts a command in a session and group of its own.
 * @throws where Node.js finds the arguments themselves at fault; a program that cannot be run is an `error` event.
 */
export function spawnGroup(command: CommandInfo, setting: GroupSetting): ChildProcess {
  const { file, argv0, args } = programOf(command);
  return spawn(file, args, {
    argv0,
    cwd: setting.cwd,
    env: { ...setting.env },
    detached: true,
    stdio: ['ignore', setting.stdout, setting.stderr],
  });
}

/** Sends a signal to a whole group. A group that has no member left is no error. */
export function signalGroup(leaderPid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leaderPid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Resolves when the process ends; a process that could not be started ends with status 1, as under mesos-executor. */
export function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: 1, signal: null });
    });
  });
}
