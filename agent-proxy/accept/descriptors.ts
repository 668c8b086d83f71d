/**
 * Descriptors of its socket that a worker gets for each listener. libuv accepts one connection of a descriptor in a turn of
 * the event loop: with one of them a thousand clients that come to a busy worker would wait for a thousand long turns. Each
 * costs two microseconds a connection, for looking where another was quicker.
 */
export const DESCRIPTORS = 4;
