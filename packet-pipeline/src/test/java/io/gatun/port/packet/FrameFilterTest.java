package io.gatun.port.packet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.packet.FilterProgram;
import io.gatun.packet.PacketBuilder;
import io.gatun.port.PortSet;
import io.gatun.port.UplinkCases;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The uplink's filter, interpreted as the kernel would; that the kernel does so, in the ITs. */
class FrameFilterTest {
  private static final long OWN = 0x02_00_00_00_01_01L;
  private static final long PEER = 0x02_00_00_00_00_0aL;
  private static final byte[] MAC = {2, 0, 0, 0, 1, 1};

  @ParameterizedTest
  @CsvSource({"10.0.0.1, 10.0.0.2, 10.0.0.3", "fd00::1, fd00::2, fd00::3"})
  void shouldTakeWhatIsOurs(String client, String node, String pod) {
    OwnList own = OwnList.of(UplinkCases.addresses(node), UplinkCases.CLAIMS);
    FilterProgram filter = FrameFilter.uplink(MAC, own);
    for (UplinkCases.Case one : UplinkCases.of(client, node, pod, PEER, OWN)) {
      assertEquals(one.ours(), filter.takes(one.frame()), one.what());
      byte[] others = one.frame().clone();
      others[5] ^= 1;
      assertFalse(filter.takes(others), one.what() + ", to another MAC");
    }
  }

  /** Random lists, as large as they come, against sets. */
  @Test
  void shouldFindEveryAddressAndPort() throws UnknownHostException {
    long seed = Long.getLong("gatun.test.seed", System.nanoTime());
    System.out.println("gatun.test.seed=" + seed);
    Random random = new Random(seed);
    for (int round = 0; round < 20; round++) {
      Set<InetAddress> addresses = new HashSet<>();
      for (int i = random.nextInt(OwnList.MOST_IPV4); i >= 0; i--) {
        addresses.add(address(random, 4));
      }
      for (int i = random.nextInt(OwnList.MOST_IPV6); i >= 0; i--) {
        addresses.add(address(random, 16));
      }
      PortSet claims = new PortSet();
      int ranges = random.nextInt(round % 5 == 0 ? 2000 : OwnList.MOST_RANGES);
      for (int i = 0; i < ranges; i++) {
        int first = random.nextInt(65_536);
        claims.add(i % 2 == 0 ? 6 : 17, first, Math.min(65_535, first + random.nextInt(3)));
      }
      OwnList own = OwnList.of(addresses, claims);
      FilterProgram filter = FrameFilter.uplink(MAC, own);
      assertTrue(filter.length() <= FilterProgram.LONGEST, () -> "length " + filter.length());
      InetAddress[] known = addresses.toArray(new InetAddress[0]);
      for (int i = 0; i < 2000; i++) {
        InetAddress to = known[random.nextInt(known.length)];
        if (random.nextInt(4) == 0) {
          byte[] near = to.getAddress();
          near[random.nextInt(near.length - 1) + 1] ^= (byte) (1 << random.nextInt(8));
          to = InetAddress.getByAddress(near);
        }
        boolean tcp = random.nextBoolean();
        int port = random.nextInt(65_536);
        if (tcp || port != 68) {
          boolean claimed =
              own.ranges(tcp ? 6 : 17).stream().anyMatch(r -> r[0] <= port && port <= r[1]);
          boolean ours = claimed || !addresses.contains(to);
          assertEquals(ours, filter.takes(frame(to, tcp, port)), to + " " + port);
        }
      }
    }
  }

  private static InetAddress address(Random random, int bytes) throws UnknownHostException {
    byte[] address = new byte[bytes];
    random.nextBytes(address);
    address[0] = (byte) (bytes == 4 ? 10 : 0xFD);
    return InetAddress.getByAddress(address);
  }

  private static byte[] frame(InetAddress to, boolean tcp, int port) {
    String from = to.getAddress().length == 4 ? "10.9.9.9" : "fd99::9";
    PacketBuilder packet = PacketBuilder.ip(from, to.getHostAddress()).macs(PEER, OWN);
    return (tcp ? packet.tcp(1, port) : packet.udp(1, port)).bytes();
  }

  @Test
  void shouldLeaveWhatIsCutShort() {
    FilterProgram filter = FrameFilter.uplink(MAC, OwnList.NONE);
    byte[] frame = frame(InetAddress.ofLiteral("10.0.0.2"), true, 22);
    assertTrue(filter.takes(frame));
    for (int length = 0; length < 14 + 10; length++) {
      assertFalse(filter.takes(Arrays.copyOf(frame, length)), "length " + length);
    }
  }

  @Test
  void shouldFillTheSmallestGapsOfTooManyRanges() {
    PortSet ports = new PortSet();
    for (int port = 30_000; port < 30_400; port += 2) {
      ports.add(6, port);
    }
    ports.add(6, 61_000, 65_535);
    OwnList own = OwnList.of(Set.of(), ports);
    assertEquals(OwnList.MOST_RANGES, own.ranges(6).size());
    assertEquals(61_000, own.ranges(6).getLast()[0], "no gap that wide is filled");
  }
}
