package io.gatun.agent.host;

import io.gatun.agent.UsageException;
import io.gatun.control.document.MacAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The pair between the host's stack and the data path: {@code gatun0} is the host's end, {@code
 * gatun0-dp} Gatun's. Immutable.
 */
public record HostPair(String name) {
  /** An address for either end, because reverse path filtering wants one there. */
  private static final String END4 = "169.254.103.3";

  private static final String HOST4 = "169.254.103.1";

  /** Where masqueraded flows to the node itself come from: nobody has them. */
  public static final InetAddress FAR4 = InetAddress.ofLiteral("169.254.103.2");

  public static final InetAddress FAR6 = InetAddress.ofLiteral("fd67:6174:756e::2");

  /** Locally administered; they never leave the pair. */
  public static final MacAddress HOST_MAC = new MacAddress(0x02_67_61_74_75_01L);

  public static final MacAddress FAR_MAC = new MacAddress(0x02_67_61_74_75_02L);

  private static final int LONGEST_NAME = 12;
  private static final Path SYSCTL = Path.of("/proc/sys/net");

  /** {@code name} is the host's end. */
  public HostPair {
    if (name.length() > LONGEST_NAME || !name.matches("[A-Za-z0-9_.-]+")) {
      throw new UsageException(
          "kernel.hostInterface: got %s, expected at most %d letters, digits, dots, dashes"
              .formatted(name, LONGEST_NAME));
    }
  }

  /** Gatun's end. */
  public String far() {
    return name + "-dp";
  }

  /** One queue each way: AF_XDP takes one socket a queue. */
  Setting link() {
    String queues = "numrxqueues 1 numtxqueues 1";
    return new Setting(
        false,
        "link add %s address %s %s type veth peer name %s address %s %s"
            .formatted(name, HOST_MAC, queues, far(), FAR_MAC, queues),
        "link del " + name);
  }

  /**
   * Makes the pair, or finds a predecessor's.
   *
   * @param mtu of IP packets, bytes
   */
  public void make(KernelSettings settings, int mtu) {
    Setting link = link();
    if (Files.exists(SYSCTL.resolve("ipv4/conf").resolve(name)) && !settings.has(link)) {
      throw new UsageException(
          "kernel.hostInterface: %s exists and is not ours: name another, or `ip link del %s`"
              .formatted(name, name));
    }
    List<String> complaints = new ArrayList<>(settings.ensure(List.of(link)));
    for (String end : List.of(name, far())) {
      // Loose: sources are reached by other ways. Our own: the host talks to its own node ports.
      sysctl("ipv4", end, "rp_filter", 2);
      sysctl("ipv4", end, "accept_local", 1);
      sysctl("ipv4", end, "send_redirects", 0);
      sysctl("ipv6", end, "addr_gen_mode", 1); // none: no address that nobody asked for
      sysctl("ipv6", end, "accept_ra", 0);
    }
    complaints.addAll(
        Ip.batch(
            false,
            List.of(
                "link set %s mtu %d up".formatted(far(), mtu),
                "link set %s mtu %d up".formatted(name, mtu),
                // Scope link: never chosen as a source elsewhere.
                "address replace %s/32 dev %s scope link".formatted(HOST4, name),
                "address replace %s/32 dev %s scope link".formatted(END4, far()),
                neighbour(FAR4))));
    if (Files.exists(SYSCTL.resolve("ipv6/conf").resolve(name))) {
      complaints.addAll(Ip.batch(true, List.of(neighbour(FAR6))));
    }
    if (!complaints.isEmpty()) {
      throw new IllegalStateException(String.join("; ", complaints));
    }
  }

  private String neighbour(InetAddress address) {
    return "neigh replace %s lladdr %s dev %s nud permanent"
        .formatted(address.getHostAddress(), FAR_MAC, name);
  }

  /** The end's own settings go with it, so they need no undoing. A kernel without IPv6 has none. */
  private static void sysctl(String family, String link, String key, int value) {
    Path path = SYSCTL.resolve(family).resolve("conf").resolve(link).resolve(key);
    if (Files.exists(path)) {
      try {
        Files.writeString(path, Integer.toString(value));
      } catch (IOException e) {
        throw new UncheckedIOException("cannot set " + path + ": needs CAP_NET_ADMIN", e);
      }
    }
  }
}
