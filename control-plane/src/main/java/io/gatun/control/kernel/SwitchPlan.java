package io.gatun.control.kernel;

import io.gatun.bridge.Switchboard;
import io.gatun.control.document.MacAddress;
import io.gatun.control.kernel.KernelTables.BridgePort;
import io.gatun.control.kernel.KernelTables.Forwarding;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.ffm.netlink.BridgeDevice;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What the data path may switch, worked out from the kernel's bridges: a pure function of the
 * tables. Immutable.
 *
 * <p>Of a bridge that tells VLANs apart, untagged frames alone are switched, to ports that send
 * their VLAN untagged; its own address is the node's in the VLAN in which the bridge itself is
 * untagged. Whatever the bridge would not do is not open, so that the kernel has it and does not do
 * it either.
 *
 * @param domains in the order of the board's
 */
public record SwitchPlan(List<Domain> domains) {
  public static final SwitchPlan EMPTY = new SwitchPlan(List.of());

  /**
   * Ports of one bridge that see the same.
   *
   * @param name of the bridge, VLAN and rule; unique on the node, letters that nft takes
   * @param vlan 0 where the bridge does not tell them apart
   * @param devices the kernel's index of each port, by its number here
   */
  public record Domain(
      String name,
      int vlan,
      long ageingMillis,
      Map<Integer, Integer> devices,
      Switchboard.Domain board) {}

  private record Key(int bridge, int vlan, boolean isolated) {}

  /** What the workers are given. */
  public Switchboard board() {
    return domains.isEmpty()
        ? Switchboard.EMPTY
        : new Switchboard(domains.stream().map(Domain::board).toList());
  }

  /** The kernel's index of every port that takes part, by its number. */
  public Map<Integer, Integer> devices() {
    Map<Integer, Integer> devices = new HashMap<>();
    domains.forEach(domain -> devices.putAll(domain.devices()));
    return devices;
  }

  /**
   * @param switched of the taken ports those whose driver can leave single addresses to the kernel
   */
  static SwitchPlan of(KernelState state, List<TakenPort> taken, Predicate<TakenPort> switched) {
    Map<Integer, TakenPort> ours = new HashMap<>();
    taken.forEach(port -> ours.put(port.ifIndex(), port));
    Map<Key, List<TakenPort>> members = new LinkedHashMap<>();
    for (TakenPort port : taken) {
      Key key = key(state, port);
      if (key != null && switched.test(port)) {
        members.computeIfAbsent(key, _ -> new ArrayList<>()).add(port);
      }
    }
    if (members.isEmpty()) {
      return EMPTY;
    }
    List<Forwarding> table =
        state.all(Forwarding.class).stream()
            .filter(entry -> entry.master() != 0)
            .sorted(Comparator.comparingLong(entry -> entry.mac().bits()))
            .toList();
    List<Domain> domains = new ArrayList<>();
    members.forEach((key, ports) -> domains.add(domain(state, key, ports, ours, table)));
    domains.sort(Comparator.comparing(Domain::name));
    return new SwitchPlan(List.copyOf(domains));
  }

  /** Null for a port that takes no part. */
  private static @Nullable Key key(KernelState state, TakenPort port) {
    Link link = state.link(port.ifIndex());
    BridgePort member = member(state, port.ifIndex());
    Link bridge = member == null ? null : state.link(member.bridge());
    if (link == null || member == null || bridge == null || !member.forwarding()) {
      return null;
    }
    if (!link.up() || !bridge.up() || link.master() != bridge.ifIndex()) {
      return null;
    }
    boolean filtering = filtering(bridge);
    if (filtering && member.pvid() == 0) {
      return null; // untagged frames are dropped, and only the bridge does that rightly
    }
    return new Key(bridge.ifIndex(), filtering ? member.pvid() : 0, member.isolated());
  }

  private static boolean filtering(Link bridge) {
    BridgeDevice settings = bridge.bridge();
    return settings != null && settings.vlanFiltering();
  }

  private static @Nullable BridgePort member(KernelState state, int device) {
    return state.get(BridgePort.key(device)) instanceof BridgePort port ? port : null;
  }

  private static Domain domain(
      KernelState state,
      Key key,
      List<TakenPort> ports,
      Map<Integer, TakenPort> ours,
      List<Forwarding> table) {
    Map<Long, Switchboard.Entry> entries = new TreeMap<>();
    for (Forwarding known : table) {
      if (known.master() == key.bridge() && known.vlan() == key.vlan()) {
        Switchboard.Entry entry = entry(state, key, known, ours.get(known.ifIndex()));
        if (entry != null) {
          entries.put(entry.mac(), entry);
        }
      }
    }
    Map<Integer, Integer> devices = new TreeMap<>();
    List<Integer> learning = new ArrayList<>();
    List<Integer> hairpin = new ArrayList<>();
    for (TakenPort port : ports) {
      devices.put(port.number(), port.ifIndex());
      BridgePort member = member(state, port.ifIndex());
      if (member != null && member.learning()) {
        learning.add(port.number());
      }
      if (member != null && member.hairpin()) {
        hairpin.add(port.number());
      }
    }
    Link bridge = state.link(key.bridge());
    BridgeDevice settings = bridge == null ? null : bridge.bridge();
    String name = "bridge_" + key.bridge() + "_" + key.vlan() + (key.isolated() ? "_isolated" : "");
    return new Domain(
        name,
        key.vlan(),
        settings == null ? 0 : settings.ageingMillis(),
        devices,
        new Switchboard.Domain(
            List.copyOf(devices.keySet()), learning, hairpin, List.copyOf(entries.values())));
  }

  /** Null for what is behind a port that is not ours. */
  private static Switchboard.@Nullable Entry entry(
      KernelState state, Key key, Forwarding known, @Nullable TakenPort port) {
    MacAddress mac = known.mac();
    if (known.local()) {
      BridgePort itself = member(state, key.bridge());
      boolean open =
          key.vlan() == 0
              || (itself != null
                  && itself.pvid() == key.vlan()
                  && itself.untagged().contains(key.vlan()));
      return new Switchboard.Entry(mac.bits(), Switchboard.NODE, 0, open);
    }
    Link link = state.link(known.ifIndex());
    BridgePort member = member(state, known.ifIndex());
    if (port == null || link == null || member == null) {
      return null;
    }
    boolean open =
        link.up()
            && member.forwarding()
            && !(key.isolated() && member.isolated())
            && (key.vlan() == 0 || member.untagged().contains(key.vlan()));
    return new Switchboard.Entry(mac.bits(), port.number(), link.mtu(), open);
  }
}
