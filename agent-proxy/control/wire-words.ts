/**
 * The words of the contract (contract.ts) by themselves: paths and headers. What only needs these is spared the schemas, and
 * with them the library that they are written in: 4 MB in each worker.
 */

export const CONTROL_ENROLL_PATH = '/control/v1/enroll';
export const CONTROL_SUBSCRIBE_PATH = '/control/v1/subscribe';
export const CONTROL_REPORT_PATH = '/control/v1/report';
export const CONTROL_WANT_PATH = '/control/v1/want';
export const CONTROL_ANNOUNCE_PATH = '/control/v1/announce';

/** On what a proxy sends: its task, so that the scheduler knows whose key is shown before it reads the body. */
export const TASK_HEADER = 'nodemesh-task';

/** What a proxy of this version understands beyond the first one of the contract (`accepts` in {@link Subscribe}). */
export const CONTROL_ACCEPTED = ['resume', 'gzip', 'bound'] as const;

/**
 * What a supervisor and the workers that it starts have agreed on (supervisor/messages.ts, how a worker is started). A
 * supervisor is not replaced in place: code that was built with another number needs a new task. To be raised with every
 * change that an older supervisor, or an older worker, would not understand.
 */
export const SUPERVISOR_PROTOCOL = 3;
/** From this number on, supervisors take a token at their launch, and make a key (enrolment.ts). */
export const ENROLLING_SUPERVISOR = 3;

// ---- between two proxies ------------------------------------------------------------------------------------------

/**
 * Headers from an outgoing router to the incoming router of a peer. The first proves that the sender is a peer; all are
 * removed before an application sees the request, and from requests of anybody else.
 */
export const PEER_HEADERS = {
  /** The key from `hello` ({@link Hello.peerKey}). */
  key: 'l5d-nodemesh-peer',
  /** The bound name, e.g. `/#/io.l5d.marathon/web`. */
  bound: 'l5d-nodemesh-bound',
  /** The chosen instance: its Mesos task id. */
  instance: 'l5d-nodemesh-instance',
} as const;
/** On a response between peers: the incoming router's judgement of the instance, `inflight=<n>; health=<0..1>`. */
export const PEER_HEALTH_HEADER = 'l5d-nodemesh-health';
/** On a refusal that sent nothing upstream (or that may be sent again): another instance may be tried. */
export const RETRYABLE_HEADER = 'l5d-retryable';
