package io.gatun.control.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.bridge.Switchboard;
import io.gatun.control.document.MacAddress;
import io.gatun.control.kernel.KernelTables.BridgePort;
import io.gatun.control.kernel.KernelTables.Entry;
import io.gatun.control.kernel.KernelTables.Forwarding;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.ffm.netlink.BridgeDevice;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.tunnel.TunnelTable;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A bridge, 20, with ports 11, 12 and 13 that are ours (1, 2, 3) and 14 that is not. */
class SwitchPlanTest {
  private static final int BRIDGE = 20;
  private static final long OWN = 0xA0;

  private final KernelState state =
      new KernelState(
          new RoutePlan(
              new Fib(8, Runnable::run),
              new TunnelTable(8, Runnable::run),
              new Adjacency.Blackhole(),
              List.of(),
              List.of()));

  private void set(Entry entry) {
    state.apply(KernelChange.now(entry));
  }

  private void bridge(boolean filtering) {
    set(
        new Link(
            BRIDGE,
            "cni0",
            new MacAddress(OWN),
            1500,
            true,
            true,
            "bridge",
            0,
            0,
            false,
            null,
            new BridgeDevice(filtering, 3000)));
    port(BRIDGE, false, 1, Set.of(1));
    for (int device = 11; device <= 14; device++) {
      set(
          new Link(
              device,
              "veth" + device,
              new MacAddress(device),
              1500,
              true,
              true,
              "veth",
              BRIDGE,
              0,
              true,
              null));
      port(device, false, 1, Set.of(1));
      known(device, 0xB00 + device, filtering ? 1 : 0, false);
    }
    known(BRIDGE, OWN, filtering ? 1 : 0, true);
  }

  private void port(int device, boolean isolated, int pvid, Set<Integer> untagged) {
    set(new BridgePort(device, BRIDGE, true, false, true, isolated, pvid, untagged));
  }

  private void known(int device, long mac, int vlan, boolean local) {
    set(new Forwarding(device, new MacAddress(mac), BRIDGE, vlan, null, 0, 0, local));
  }

  private SwitchPlan plan() {
    List<TakenPort> taken =
        List.of(
            new TakenPort(1, "veth11", 11, new MacAddress(11), 1500),
            new TakenPort(2, "veth12", 12, new MacAddress(12), 1500),
            new TakenPort(3, "veth13", 13, new MacAddress(13), 1500));
    return SwitchPlan.of(state, taken, port -> true);
  }

  private static String text(SwitchPlan plan) {
    StringBuilder text = new StringBuilder();
    for (SwitchPlan.Domain domain : plan.domains()) {
      text.append(domain.name()).append(' ').append(domain.board().ports());
      for (Switchboard.Entry entry : domain.board().entries()) {
        text.append(entry.open() ? " " : " !").append(Long.toHexString(entry.mac()));
        text.append(">").append(entry.port());
      }
      text.append('\n');
    }
    return text.toString();
  }

  @Test
  void shouldSwitchToWhatIsBehindOurPorts() {
    bridge(false);
    assertEquals("bridge_20_0 [1, 2, 3] a0>-2 b0b>1 b0c>2 b0d>3\n", text(plan()));
    assertEquals(3000, plan().domains().getFirst().ageingMillis());
  }

  @Test
  void shouldKeepIsolatedPortsApart() {
    bridge(false);
    port(11, true, 1, Set.of(1));
    port(12, true, 1, Set.of(1));
    assertEquals(
        """
        bridge_20_0 [3] a0>-2 b0b>1 b0c>2 b0d>3
        bridge_20_0_isolated [1, 2] a0>-2 !b0b>1 !b0c>2 b0d>3
        """,
        text(plan()));
  }

  @Test
  void shouldTellVlansApartWhereTheBridgeDoes() {
    bridge(true);
    port(12, false, 30, Set.of(30));
    known(12, 0xB0C, 30, false);
    known(BRIDGE, OWN, 30, true);
    port(13, false, 1, Set.of()); // sends its VLAN tagged: the kernel's
    assertEquals(
        """
        bridge_20_1 [1, 3] a0>-2 b0b>1 !b0c>2 !b0d>3
        bridge_20_30 [2] !a0>-2 b0c>2
        """,
        text(plan()));
    port(12, false, 0, Set.of());
    assertEquals("bridge_20_1 [1, 3] a0>-2 b0b>1 !b0c>2 !b0d>3\n", text(plan()));
  }

  @Test
  void shouldLeaveBlockedPortsAlone() {
    bridge(false);
    set(new BridgePort(12, BRIDGE, false, false, true, false, 1, Set.of(1)));
    assertEquals("bridge_20_0 [1, 3] a0>-2 b0b>1 !b0c>2 b0d>3\n", text(plan()));
  }
}
