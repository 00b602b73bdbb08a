package io.gatun.fib;

import io.gatun.worker.WorkerCounters;
import java.util.Map;

/**
 * Which ports' packets are believed their source address (RFC 3704), by port number. Immutable;
 * another object says that ports may have changed hands, also where it checks the same.
 */
public final class SourceChecks {
  /** What a source address has to be. */
  public enum Check {
    /** Any. */
    OFF,
    /** One to which a route leads by the port that the packet came by. */
    STRICT,
    /** One to which some route leads. */
    LOOSE
  }

  public static final SourceChecks NONE = new SourceChecks(Map.of());

  static final byte OFF = (byte) Check.OFF.ordinal();
  static final byte STRICT = (byte) Check.STRICT.ordinal();

  private final byte[] checks = new byte[WorkerCounters.PORTS];
  private final boolean any;

  /** By port number; ports that are not named are not checked. */
  public SourceChecks(Map<Integer, Check> ofPorts) {
    ofPorts.forEach((port, check) -> checks[port] = (byte) check.ordinal());
    any = ofPorts.values().stream().anyMatch(check -> check != Check.OFF);
  }

  boolean any() {
    return any;
  }

  /** The check's number for a port; ports beyond all numbers are nobody's. */
  byte of(int port) {
    return port >= 0 && port < checks.length ? checks[port] : OFF;
  }
}
