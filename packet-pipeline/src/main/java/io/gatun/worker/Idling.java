package io.gatun.worker;

/** What a worker does in a cycle that found nothing to do. */
public enum Idling {
  /** Spins: lowest latency, one core at 100 %. */
  BUSY,
  /** Spins for a moment, then sleeps in poll(2) until a frame, a hand-off or a command arrives. */
  ADAPTIVE
}
