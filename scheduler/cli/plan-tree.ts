/** A plan as a tree of lines: the plan, its phases, their steps, each with a mark of its status. */
import * as z from 'zod/mini';
import type { Screen, Tone } from './screen.ts';
import { printable, truncate } from './table.ts';

const stepSchema = z.object({ name: z.string(), status: z.string(), message: z._default(z.string(), '') });
const phaseSchema = z.object({
  name: z.string(),
  strategy: z._default(z.string(), ''),
  status: z.string(),
  steps: z.array(stepSchema),
});
export const planAnswerSchema = z.object({
  status: z.string(),
  strategy: z._default(z.string(), ''),
  errors: z._default(z.array(z.string()), []),
  phases: z.array(phaseSchema),
});
export type PlanAnswer = z.infer<typeof planAnswerSchema>;

interface Look {
  readonly mark: string;
  readonly word: string;
  readonly tone: Tone;
}

const LOOKS: Readonly<Record<string, Look>> = {
  COMPLETE: { mark: '✔', word: 'complete', tone: 'good' },
  IN_PROGRESS: { mark: '▶', word: 'in progress', tone: 'busy' },
  WAITING: { mark: '‖', word: 'waiting', tone: 'busy' },
  PENDING: { mark: '○', word: 'pending', tone: 'quiet' },
  ERROR: { mark: '✘', word: 'error', tone: 'bad' },
};

/** The status of a newer scheduler stays a word. */
export function lookOf(status: string): Look {
  const known = Object.hasOwn(LOOKS, status) ? LOOKS[status] : undefined;
  return known ?? { mark: '?', word: printable(status), tone: 'busy' };
}

export function stepsDone(plan: PlanAnswer): { readonly done: number; readonly all: number } {
  const steps = plan.phases.flatMap((phase) => phase.steps);
  return { done: steps.filter(isComplete).length, all: steps.length };
}

export function planTree(name: string, plan: PlanAnswer, screen: Screen): string {
  const line = (depth: number, status: string, text: string): string => {
    const { mark, tone } = lookOf(status);
    const indent = '  '.repeat(depth);
    const room = screen.width === null ? null : screen.width - indent.length - 2;
    const shown = printable(text);
    return `${indent}${screen.paint(tone, mark)} ${room === null ? shown : truncate(shown, room)}`;
  };
  const lines = [line(0, plan.status, headOf(name, plan.strategy, plan.status))];
  for (const error of plan.errors) lines.push(line(1, 'ERROR', error));
  for (const phase of plan.phases) {
    const done = phase.steps.filter(isComplete).length;
    lines.push(
      line(1, phase.status, `${headOf(phase.name, phase.strategy, phase.status)}, ${done} of ${phase.steps.length}`),
    );
    for (const step of phase.steps) {
      const message = step.message === '' ? '' : `: ${step.message}`;
      lines.push(line(2, step.status, `${step.name}: ${lookOf(step.status).word}${message}`));
    }
  }
  return `${lines.join('\n')}\n`;
}

const isComplete = ({ status }: { readonly status: string }): boolean => status === 'COMPLETE';

function headOf(name: string, strategy: string, status: string): string {
  return `${name}${strategy === '' ? '' : ` (${strategy})`}: ${lookOf(status).word}`;
}
