package io.gatun.service;

/** How a new flow gets its endpoint. */
public enum Algorithm {
  /** By the flow's hash, the same on every node; a change of the endpoints moves few others. */
  MAGLEV,

  /** Anyone, each time anew. */
  RANDOM,

  /** The one with the fewest connections for its weight. */
  LEAST_CONNECTION
}
