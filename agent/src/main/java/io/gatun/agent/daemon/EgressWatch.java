package io.gatun.agent.daemon;

import io.gatun.agent.check.Firewall;
import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.agent.egress.PodEgress;
import io.gatun.control.ControlThread;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.service.ClientRules.Egress;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * {@code egress.masquerade: auto}: pods get the node's address on their way out as the kernel's
 * rules would give it to them. Looks at the start, when pod networks change, and twice a minute, on
 * a thread of its own, since flannel and its kin write their rules when they please.
 */
final class EgressWatch {
  private static final System.Logger LOG = System.getLogger("gatun.egress");
  private static final Duration PERIOD = Duration.ofSeconds(1);

  /** The rules may be many. */
  private static final int PERIODS_BETWEEN_LOOKS = 30;

  private final ControlThread control;
  private final KernelMirror mirror;
  private final Supplier<List<Interfaces.Taken>> interfaces;
  private final Thread thread;
  private Egress known = Egress.NONE;
  private Set<String> looked = Set.of();

  EgressWatch(
      ControlThread control, KernelMirror mirror, Supplier<List<Interfaces.Taken>> interfaces) {
    this.control = control;
    this.mirror = mirror;
    this.interfaces = interfaces;
    this.thread = Thread.ofPlatform().name("egress").daemon(true).unstarted(this::run);
  }

  /** The first look, at what was read just now, on the control thread before it starts. */
  void look(Firewall firewall) {
    if (changed(firewall)) {
      control.egress(known);
    }
  }

  void start() {
    thread.start();
  }

  private void run() {
    for (int period = 1; true; period++) {
      try {
        Thread.sleep(PERIOD);
        boolean due = period % PERIODS_BETWEEN_LOOKS == 0;
        if ((due || !Set.copyOf(control.podNetworks()).equals(looked))
            && changed(Firewall.read())) {
          Egress now = known;
          mirror.run(() -> control.egress(now));
        }
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        LOG.log(Level.WARNING, "the kernel''s rules cannot be read: {0}", e.getMessage());
      }
    }
  }

  private boolean changed(Firewall firewall) {
    Set<String> uplinks =
        interfaces.get().stream()
            .filter(taken -> taken.role() == Role.UPLINK)
            .map(taken -> taken.port().name())
            .collect(Collectors.toSet());
    looked = Set.copyOf(control.podNetworks());
    Egress now = PodEgress.of(firewall, looked, uplinks);
    if (now.equals(known)) {
      return false;
    }
    LOG.log(
        Level.INFO,
        "egress.masquerade auto, as the kernel''s rules do it: IPv4 {0}, IPv6 {1}",
        now.ipv4(),
        now.ipv6());
    known = now;
    return true;
  }
}
