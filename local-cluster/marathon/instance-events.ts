/** The events that a change of an instance gives rise to. */
import type { EventBus } from './events.ts';
import { type Condition, healthOf, type Instance, taskStateOf } from './instance.ts';

/** `instance_changed_event`, and `status_update_event` unless Mesos knows nothing of the task yet. */
export function publishChange(bus: EventBus, instance: Instance, condition: Condition, message = ''): void {
  const { instanceId, taskId, appId, agentId, host, ports, version, ipAddresses } = instance;
  bus.publish({
    eventType: 'instance_changed_event',
    ...{ instanceId, condition, runSpecId: appId, agentId, host, runSpecVersion: version },
  });
  if (condition === 'Provisioned') return;
  bus.publish({
    eventType: 'status_update_event',
    ...{
      slaveId: agentId,
      taskId,
      taskStatus: taskStateOf(condition),
      message,
      appId,
      host,
      ipAddresses,
      ports,
      version,
    },
  });
}

export function publishHealth(bus: EventBus, instance: Instance): void {
  const { instanceId, appId, version } = instance;
  bus.publish({
    eventType: 'instance_health_changed_event',
    ...{ instanceId, runSpecVersion: version, runSpecId: appId, healthy: healthOf(instance) },
  });
}
