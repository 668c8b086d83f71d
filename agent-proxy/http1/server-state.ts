/**
 * Where the connection of a client stands.
 *
 * - `head`: between two requests, or in the head of one.
 * - `request`: an exchange is under way.
 * - `discard`: the answer is complete, the rest of the request is read and dropped.
 * - `tunnel`: bytes pass as they are.
 * - `closing`: our last byte is written, and the client may still read it.
 */
export type ServerState = 'head' | 'request' | 'discard' | 'tunnel' | 'closing' | 'closed';
