/** What operators do to the cluster: drain, deactivate and dismiss agents, and plan maintenance. */
import type { AgentId } from '../../framework/mesos-http-client/messages.ts';
import type { DrainOrder } from '../agent-link.ts';
import type { Refusal } from '../scheduler-link.ts';
import { markGone, removeAgent, tasksOn } from './agent-lifecycle.ts';
import { tell } from './agent-tell.ts';
import type { AgentRecord } from './agents.ts';
import { rescindOffersOn } from './allocation.ts';
import type { MasterContext } from './context.ts';
import { type MachineId, type MaintenanceWindow, machineOf, sameMachine } from './maintenance.ts';

export type OperatorChange =
  | { readonly type: 'MARK_AGENT_GONE'; readonly agentId: AgentId }
  | { readonly type: 'DRAIN_AGENT'; readonly agentId: AgentId; readonly order: DrainOrder }
  | { readonly type: 'DEACTIVATE_AGENT'; readonly agentId: AgentId }
  | { readonly type: 'REACTIVATE_AGENT'; readonly agentId: AgentId }
  | { readonly type: 'UPDATE_MAINTENANCE_SCHEDULE'; readonly windows: readonly MaintenanceWindow[] }
  | { readonly type: 'START_MAINTENANCE'; readonly machines: readonly MachineId[] }
  | { readonly type: 'STOP_MAINTENANCE'; readonly machines: readonly MachineId[] };

/** Null when done (200). */
export function applyChange(context: MasterContext, change: OperatorChange): Refusal | null {
  switch (change.type) {
    case 'UPDATE_MAINTENANCE_SCHEDULE':
      return updateSchedule(context, change.windows);
    case 'START_MAINTENANCE':
      return startMaintenance(context, change.machines);
    case 'STOP_MAINTENANCE':
      return stopMaintenance(context, change.machines);
    case 'MARK_AGENT_GONE':
      if (markGone(context, change.agentId)) return null;
      return { status: 404, message: `Agent ${change.agentId} is not known to this master` };
    default: {
      const agent = context.agents.get(change.agentId);
      if (agent === undefined) return { status: 400, message: 'Unknown agent' };
      return changeAgent(context, agent, change);
    }
  }
}

// ---- one agent -------------------------------------------------------------------------------------------------------

function changeAgent(
  context: MasterContext,
  agent: AgentRecord,
  change: Extract<OperatorChange, { type: 'DRAIN_AGENT' | 'DEACTIVATE_AGENT' | 'REACTIVATE_AGENT' }>,
): Refusal | null {
  switch (change.type) {
    case 'DRAIN_AGENT':
      agent.drain = { state: 'DRAINING', order: change.order, startedAt: context.clock.now() };
      deactivate(context, agent);
      tell(agent, (endpoint) => endpoint.drain(change.order));
      return null;
    case 'DEACTIVATE_AGENT':
      deactivate(context, agent);
      return null;
    case 'REACTIVATE_AGENT':
      if (agent.drain?.state === 'DRAINING') return { status: 400, message: 'Agent is still in the DRAINING state' };
      agent.drain = null;
      agent.deactivated = false;
      return null;
  }
}

/** Its tasks go on, but nobody is offered anything of it. */
function deactivate(context: MasterContext, agent: AgentRecord): void {
  agent.deactivated = true;
  rescindOffersOn(context, agent.id);
}

/** An agent is drained when the last of its tasks has ended and its framework has acknowledged that. */
export function settleDrains(context: MasterContext): void {
  for (const agent of context.agents.registered()) {
    if (agent.drain?.state !== 'DRAINING' || tasksOn(context, agent).length > 0) continue;
    if (agent.drain.order.markGone) markGone(context, agent.id);
    else agent.drain = { ...agent.drain, state: 'DRAINED' };
  }
}

// ---- maintenance -----------------------------------------------------------------------------------------------------

/** Recorded: offers on all agents are taken back and made anew, whichever machines the change is about. */
function updateSchedule(context: MasterContext, windows: readonly MaintenanceWindow[]): Refusal | null {
  const machines = windows.flatMap((window) => window.machine_ids);
  const problem = invalidMachines(machines) ?? missingDown(context, machines);
  if (problem !== null) return { status: 400, message: problem };
  context.maintenance.replaceSchedule(windows);
  for (const agent of context.agents.registered()) rescindOffersOn(context, agent.id);
  return null;
}

/** The agents there are told to exit, and their tasks are lost without waiting for that. */
function startMaintenance(context: MasterContext, machines: readonly MachineId[]): Refusal | null {
  const { maintenance } = context;
  const wrong = machines.find((machine) => !maintenance.isScheduled(machine) || maintenance.isDown(machine));
  if (wrong !== undefined) {
    const why = maintenance.isDown(wrong)
      ? 'is not in DRAINING mode and cannot be brought down'
      : 'is not part of a maintenance schedule';
    return { status: 400, message: `Machine '${JSON.stringify(wrong)}' ${why}` };
  }
  const problem = invalidMachines(machines);
  if (problem !== null) return { status: 400, message: problem };
  maintenance.bringDown(machines);
  for (const agent of context.agents.registered()) {
    if (!machines.some((machine) => sameMachine(machine, machineOf(agent)))) continue;
    const { link } = agent;
    removeAgent(context, agent, {
      state: 'TASK_LOST',
      reason: 'REASON_AGENT_REMOVED',
      message: `Agent ${agent.info.hostname} removed: Operator initiated 'Machine DOWN'`,
    });
    if (link.kind === 'connected') queueMicrotask(() => link.endpoint.shutDown());
  }
  return null;
}

function stopMaintenance(context: MasterContext, machines: readonly MachineId[]): Refusal | null {
  const up = machines.find((machine) => !context.maintenance.isDown(machine));
  if (up !== undefined) {
    const message = `Machine '${JSON.stringify(up)}' is not in DOWN mode and cannot be brought up`;
    return { status: 400, message };
  }
  const problem = invalidMachines(machines);
  if (problem !== null) return { status: 400, message: problem };
  context.maintenance.bringUp(machines);
  return null;
}

function invalidMachines(machines: readonly MachineId[]): string | null {
  for (const [index, machine] of machines.entries()) {
    if ((machine.hostname ?? '') === '' && (machine.ip ?? '') === '') {
      return "Both 'hostname' and 'ip' for a machine are empty";
    }
    if (machines.findIndex((other) => sameMachine(other, machine)) !== index) {
      return `Machine '${JSON.stringify(machine)}' appears more than once`;
    }
  }
  return null;
}

function missingDown(context: MasterContext, machines: readonly MachineId[]): string | null {
  const missing = context.maintenance.state.down.find(
    (down) => !machines.some((machine) => sameMachine(machine, down)),
  );
  return missing === undefined
    ? null
    : `Machine '${JSON.stringify(missing)}' is deactivated and cannot be removed from the schedule`;
}
