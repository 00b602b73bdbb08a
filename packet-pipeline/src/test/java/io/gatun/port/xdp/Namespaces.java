package io.gatun.port.xdp;

import io.gatun.port.Netns;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/** Three network namespaces a – g – b, bridged in the middle by the kernel; gone when closed. */
final class Namespaces implements AutoCloseable {
  static final byte[] MAC_A = {2, 0, 0, 0, 1, 1};
  static final byte[] MAC_B = {2, 0, 0, 0, 1, 2};

  /** A MAC address as 48 bits. */
  static long bits(byte[] mac) {
    ByteBuffer octets = ByteBuffer.wrap(mac);
    return (octets.getShort() & 0xFFFFL) << 32 | octets.getInt() & 0xFFFFFFFFL;
  }

  final String prefix = "ports" + ProcessHandle.current().pid();
  final String a = prefix + "-a";
  final String b = prefix + "-b";
  final String g = prefix + "-g";

  Namespaces() {
    for (String ns : new String[] {a, b, g}) {
      Netns.run("ip netns add " + ns);
      Netns.run("ip -n " + ns + " link set lo up");
    }
    end(a, "ga", "02:00:00:00:01:01", "02:00:00:00:00:0a", "10.77.0.1/24");
    end(b, "gb", "02:00:00:00:01:02", "02:00:00:00:00:0b", "10.77.0.2/24");
    Netns.run("ip -n " + g + " link add br0 type bridge");
    Netns.run("ip -n " + g + " link set br0 up");
    Netns.run("ip -n " + g + " link set ga master br0");
    Netns.run("ip -n " + g + " link set gb master br0");
  }

  private void end(String ns, String name, String outerMac, String innerMac, String address) {
    Netns.run(
        "ip -n %s link add %s address %s type veth peer name eth0 address %s netns %s"
            .formatted(g, name, outerMac, innerMac, ns));
    Netns.run("ip -n %s link set %s up".formatted(g, name));
    Netns.run("ip -n %s addr add %s dev eth0".formatted(ns, address));
    Netns.run("ip -n %s link set eth0 up".formatted(ns));
  }

  /** Sends {@code count} ICMP echoes from a to b; true when at most one is lost, and not all. */
  boolean ping(int count) throws Exception {
    return Netns.inside(
        a,
        () -> {
          int lost = 0;
          for (int i = 0; i < count && lost < 2; i++) {
            lost += InetAddress.ofLiteral("10.77.0.2").isReachable(500) ? 0 : 1;
          }
          return lost < 2 && lost < count;
        });
  }

  @Override
  public void close() {
    for (String ns : new String[] {a, b, g}) {
      Netns.attempt("ip netns del " + ns);
    }
  }
}
