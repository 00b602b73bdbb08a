package io.gatun.agent.check;

import io.gatun.ffm.NativeException;
import io.gatun.ffm.ethtool.Ethtool;
import io.gatun.ffm.netlink.Link;
import io.gatun.ffm.netlink.XdpFeatures;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One interface that is to be taken. */
public final class InterfaceChecks {
  /** What {@code --ignore} calls somebody else's XDP program. */
  static final String FOREIGN_XDP = "xdp";

  /** A chunk of 2,048 less the kernel's headroom of 256, Ethernet and two VLAN tags. */
  private static final int LARGEST_MTU = 2048 - 256 - 14 - 8;

  private InterfaceChecks() {}

  /**
   * What there is to say of {@code link}.
   *
   * @param pins where our own programs are pinned
   */
  public static List<Finding> of(Link link, Path pins) {
    String name = link.name();
    List<Finding> findings = new ArrayList<>();
    findings.add(
        link.up()
            ? Finding.ok(name, "up" + (link.kind().isEmpty() ? "" : ", " + link.kind()))
            : Finding.failure(name, "down", "ip link set " + name + " up"));
    findings.add(
        link.mtu() <= LARGEST_MTU
            ? Finding.ok(name, "MTU " + link.mtu())
            : Finding.failure(
                name,
                "MTU %d, at most %d fits into a frame".formatted(link.mtu(), LARGEST_MTU),
                "ip link set %s mtu 1500".formatted(name)));
    queues(name, findings);
    XdpFeatures features = XdpFeatures.of(link.index());
    if (features != null) {
      findings.add(xdp(name, features));
    }
    findings.addAll(foreignProgram(link, pins));
    if (link.kind().isEmpty()) {
      offloads(name, findings);
    }
    if (link.kind().equals("bond") || link.vlan() != 0) {
      findings.add(
          Finding.warning(
              name,
              (link.vlan() != 0 ? "a VLAN device" : "a bond") + ": its traffic stays the kernel's",
              "leave it out of interfaces; routes by it lead to the kernel"));
    }
    return findings;
  }

  /** By which of XDP's modes its frames can be got. */
  static Finding xdp(String name, XdpFeatures features) {
    if (features.isZeroCopy()) {
      return Finding.ok(name, "XDP: native, zero-copy possible (copy mode is used)");
    }
    return features.isNative()
        ? Finding.ok(name, "XDP: native, copy mode")
        : Finding.warning(
            name,
            "XDP: generic only, its driver has no native mode: slow, and whole segments are lost",
            "driver: packet, which auto takes; or ethtool -K %s gro off lro off".formatted(name));
  }

  private static void queues(String name, List<Finding> findings) {
    try {
      int queues = Ethtool.channels(name).receiving();
      findings.add(
          queues <= 1
              ? Finding.ok(name, "one queue")
              : Finding.warning(
                  name,
                  queues + " queues, only the first is served",
                  "ethtool -L " + name + " combined 1"));
    } catch (NativeException e) {
      findings.add(Finding.ok(name, "one queue (the driver has no channels)"));
    }
  }

  /** A failure when somebody else's XDP program is there. */
  public static List<Finding> foreignProgram(Link link, Path pins) {
    if (link.xdpProgram() == 0) {
      return List.of();
    }
    String name = link.name();
    return List.of(
        Files.exists(pins.resolve(name).resolve("link"))
            ? Finding.ok(name, "our own XDP program")
            : Finding.failure(
                FOREIGN_XDP,
                "XDP program %d on %s is somebody else's".formatted(link.xdpProgram(), name),
                "ip link set dev %s xdp off, or end who attached it: bpftool net".formatted(name)));
  }

  private static void offloads(String name, List<Finding> findings) {
    String text = Program.output("ethtool", "-k", name);
    if (text == null) {
      return;
    }
    for (String[] offload :
        new String[][] {{"large-receive-offload", "lro"}, {"rx-vlan-offload", "rxvlan"}}) {
      if (text.contains(offload[0] + ": on")) {
        findings.add(
            Finding.warning(
                name, offload[0] + " is on", "ethtool -K %s %s off".formatted(name, offload[1])));
      }
    }
  }
}
