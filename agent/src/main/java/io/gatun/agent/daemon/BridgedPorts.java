package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.bridge.Switchboard;
import io.gatun.control.document.MacAddress;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.control.kernel.SwitchPlan;
import io.gatun.control.kernel.TakenPort;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.agrona.concurrent.Agent;

/**
 * Keeps what is switched as the kernel's bridges say, and their tables as our traffic says; stepped
 * by the control thread.
 *
 * <p>The driver is told before the workers: between the two a frame for a new address is lost, the
 * other way round it would come twice.
 */
final class BridgedPorts implements Agent {
  private static final long LOOK = TimeUnit.MILLISECONDS.toNanos(100);

  /** An address in use is told again after this part of the time after which it is forgotten. */
  private static final int PARTS = 4;

  /** Addresses that the bridges are told of a look: what a pod invents costs them no more. */
  private static final int MOST = 64;

  private static final long LONGEST = TimeUnit.SECONDS.toNanos(60);

  private record Address(String domain, long mac) {}

  /** Behind which port of a bridge an address is. */
  private record Place(int device, int vlan, long pauseNanos) {}

  private final Dataplane dataplane;
  private final KernelMirror mirror;
  private final Supplier<List<Interfaces.Taken>> interfaces;
  private final Map<Address, Place> places = new HashMap<>();
  private final Map<Address, Long> told = new HashMap<>();
  private SwitchPlan plan = SwitchPlan.EMPTY;

  /** Until then the drivers may know a predecessor's plan. */
  private boolean isTold;

  private boolean look = true;
  private boolean failed;
  private long nextLook = System.nanoTime();
  private long nextNeighbours = nextLook;
  private int budget = MOST;

  BridgedPorts(
      Dataplane dataplane, KernelMirror mirror, Supplier<List<Interfaces.Taken>> interfaces) {
    this.dataplane = dataplane;
    this.mirror = mirror;
    this.interfaces = interfaces;
    mirror.onBridges(() -> look = true);
  }

  @Override
  public int doWork() {
    int done = 0;
    if (look) {
      look = false;
      done += follow() ? 1 : 0;
    }
    done += dataplane.crew().sightings(this::seen);
    long now = System.nanoTime();
    if (now - nextLook >= 0) {
      nextLook = now + LOOK;
      look |= failed;
      failed = false;
      budget = MOST;
      refresh(now);
    }
    return done;
  }

  private boolean follow() {
    SwitchPlan wanted = mirror.switchPlan(this::isSwitched);
    if (isTold && wanted.equals(plan)) {
      return false;
    }
    if (!dataplane.switching(wanted)) {
      failed = true;
      return false;
    }
    isTold = true;
    plan = wanted;
    places.clear();
    Map<Integer, Integer> devices = plan.devices();
    for (SwitchPlan.Domain domain : plan.domains()) {
      long pause = TimeUnit.MILLISECONDS.toNanos(domain.ageingMillis()) / PARTS;
      for (Switchboard.Entry entry : domain.board().entries()) {
        Integer device = devices.get(entry.port());
        if (device != null) {
          places.put(
              new Address(domain.name(), entry.mac()), new Place(device, domain.vlan(), pause));
        }
      }
    }
    told.keySet().retainAll(places.keySet());
    nextNeighbours = System.nanoTime(); // the bridge may forget sooner than it did
    return true;
  }

  private boolean isSwitched(TakenPort port) {
    return interfaces.get().stream()
        .anyMatch(taken -> taken.port().number() == port.number() && taken.role() == Role.POD);
  }

  private void seen(int port, long mac) {
    for (SwitchPlan.Domain domain : plan.domains()) {
      Integer device = domain.devices().get(port);
      if (device != null && budget-- > 0) {
        mirror.learn(device, new MacAddress(mac), domain.vlan());
      }
    }
  }

  /**
   * Addresses in use are what frames came from or went to, and the node's neighbours: to those we
   * may have to send before they say a word.
   */
  private void refresh(long now) {
    dataplane
        .crew()
        .switchboard()
        .uses((domain, mac) -> {
          if (domain < plan.domains().size()) {
            used(new Address(plan.domains().get(domain).name(), mac), now);
          }
        });
    if (now - nextNeighbours >= 0 && !places.isEmpty()) {
      long shortest = LONGEST;
      for (Place place : places.values()) {
        shortest = Math.min(shortest, place.pauseNanos() / 2);
      }
      nextNeighbours = now + shortest;
      Set<Long> neighbours = mirror.neighbourMacs();
      for (Address address : places.keySet()) {
        if (neighbours.contains(address.mac())) {
          used(address, now);
        }
      }
    }
  }

  private void used(Address address, long now) {
    Place place = places.get(address);
    Long last = told.get(address);
    if (place != null && (last == null || now - last >= place.pauseNanos())) {
      told.put(address, now);
      mirror.learn(place.device(), new MacAddress(address.mac()), place.vlan());
    }
  }

  @Override
  public String roleName() {
    return "bridged ports";
  }
}
