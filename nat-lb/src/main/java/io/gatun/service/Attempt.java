package io.gatun.service;

import io.gatun.flow.NewFlow;

/** A flow that is about to be made, and what it was decided by. Owned by a {@link Connector}. */
final class Attempt {
  final NewFlow f = new NewFlow();

  /** Its place in the vector. */
  int packet;

  /** 0: no Service's, a pod's way out. */
  long front;

  long set;

  /** Index in the set. */
  int chosen;

  /** It must not take another endpoint. */
  boolean bound;

  /** Not with the client's own address. */
  boolean masquerade;

  /** The client is the node. */
  boolean fromHost;

  /** It needs a source address and there is none. */
  boolean sourceless;

  /** What it may come from, where the client's own will not do. */
  SourcePorts ports = SourcePorts.ALL;
}
