/** The environment in which the scheduler launches a proxy task: who the proxy is, and where its scheduler was last seen. */
export const ENV = {
  agentId: 'NODEMESH_AGENT_ID',
  taskId: 'NODEMESH_TASK_ID',
  nodeIp: 'NODEMESH_NODE_IP',
  /** On a public agent: where all but its edge router and its control endpoint listen. */
  innerIp: 'NODEMESH_INNER_IP',
  /** Base URLs in the order in which to try them, separated by commas: VIP, Mesos-DNS, last known addresses. */
  schedulers: 'NODEMESH_SCHEDULERS',
  /** Good for one enrolment of this task: swapped for a key that never leaves the memory of the proxy. */
  token: 'NODEMESH_TOKEN',
  /** For a proxy without a token: the key that it and the scheduler show each other off loopback. */
  clusterKey: 'NODEMESH_CLUSTER_KEY',
} as const;
