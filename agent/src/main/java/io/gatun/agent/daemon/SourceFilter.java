package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration.Interface;
import io.gatun.agent.config.GatunConfiguration.ReversePath;
import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.fib.Fib;
import io.gatun.fib.SourceChecks;
import io.gatun.fib.SourceChecks.Check;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.agrona.concurrent.Agent;

/**
 * Keeps which pods' source addresses are checked as the configuration says and, where that leaves
 * it to the kernel, its settings; stepped by the control thread.
 */
final class SourceFilter implements Agent {
  private final List<Interface> configured;
  private final KernelMirror mirror;
  private final Supplier<List<Interfaces.Taken>> interfaces;
  private final Fib fib;
  private Map<Integer, Check> told = Map.of();
  private boolean look = true;
  private boolean portsChanged = true;

  SourceFilter(
      List<Interface> configured,
      KernelMirror mirror,
      Supplier<List<Interfaces.Taken>> interfaces,
      Fib fib) {
    this.configured = configured;
    this.mirror = mirror;
    this.interfaces = interfaces;
    this.fib = fib;
    mirror.onLinks(() -> look = true);
  }

  /** Ports came or went: a number may be another's now. */
  void portsChanged() {
    look = true;
    portsChanged = true;
  }

  @Override
  public int doWork() {
    if (!look) {
      return 0;
    }
    look = false;
    Map<Integer, Check> checks = new HashMap<>();
    for (Interfaces.Taken taken : interfaces.get()) {
      if (taken.role() == Role.POD) {
        checks.put(taken.port().number(), check(taken));
      }
    }
    if (!portsChanged && checks.equals(told)) {
      return 0;
    }
    portsChanged = false;
    told = checks;
    fib.sourceChecks(new SourceChecks(checks));
    return 1;
  }

  private Check check(Interfaces.Taken taken) {
    ReversePath said =
        configured.stream()
            .filter(entry -> entry.matches(taken.port().name()))
            .map(Interface::reversePath)
            .findFirst()
            .orElse(ReversePath.AUTO);
    return switch (said) {
      case AUTO -> mirror.sourceCheck(taken.port().ifIndex());
      case STRICT -> Check.STRICT;
      case LOOSE -> Check.LOOSE;
      case NONE -> Check.OFF;
    };
  }

  @Override
  public String roleName() {
    return "source filter";
  }
}
