package io.gatun.ffm.netlink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.gatun.ffm.btf.Btf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Layouts against the kernel's, and lengths that lie. */
class NetlinkLayoutTest {
  @Test
  void shouldAgreeWithTheKernel() throws IOException {
    Btf btf = Btf.ofKernel();
    assertEquals(btf.size("nlmsghdr"), Message.HEADER);
    assertEquals(btf.offset("nlmsghdr", "nlmsg_len"), Message.LENGTH);
    assertEquals(btf.offset("nlmsghdr", "nlmsg_type"), Message.TYPE);
    assertEquals(btf.offset("nlmsghdr", "nlmsg_flags"), Message.FLAGS);
    assertEquals(btf.offset("nlmsghdr", "nlmsg_seq"), Message.SEQUENCE);
    assertEquals(btf.size("ifinfomsg"), Link.LAYOUT.bytes());
    assertEquals(btf.offset("ifinfomsg", "ifi_index"), Link.INDEX);
    assertEquals(btf.offset("ifinfomsg", "ifi_flags"), Link.FLAGS);
    assertEquals(btf.size("ifaddrmsg"), Address.LAYOUT.bytes());
    assertEquals(btf.offset("ifaddrmsg", "ifa_prefixlen"), Address.PREFIX_LENGTH);
    assertEquals(btf.offset("ifaddrmsg", "ifa_scope"), Address.SCOPE);
    assertEquals(btf.offset("ifaddrmsg", "ifa_index"), Address.INDEX);
    assertEquals(btf.size("rtmsg"), Route.LAYOUT.bytes());
    assertEquals(btf.offset("rtmsg", "rtm_dst_len"), Route.DST_LEN);
    assertEquals(btf.offset("rtmsg", "rtm_table"), Route.TABLE);
    assertEquals(btf.offset("rtmsg", "rtm_protocol"), Route.PROTOCOL);
    assertEquals(btf.offset("rtmsg", "rtm_scope"), Route.SCOPE);
    assertEquals(btf.offset("rtmsg", "rtm_type"), Route.TYPE);
    assertEquals(btf.offset("rtmsg", "rtm_flags"), Route.FLAGS);
    assertEquals(btf.size("rtnexthop"), NextHop.BYTES);
    assertEquals(btf.offset("rtnexthop", "rtnh_len"), NextHop.LENGTH);
    assertEquals(btf.offset("rtnexthop", "rtnh_flags"), NextHop.FLAGS);
    assertEquals(btf.offset("rtnexthop", "rtnh_hops"), NextHop.HOPS);
    assertEquals(btf.offset("rtnexthop", "rtnh_ifindex"), NextHop.IFINDEX);
    assertEquals(btf.size("ndmsg"), Neighbour.LAYOUT.bytes());
    assertEquals(btf.offset("ndmsg", "ndm_ifindex"), Neighbour.IFINDEX);
    assertEquals(btf.offset("ndmsg", "ndm_state"), Neighbour.STATE);
    assertEquals(btf.offset("ndmsg", "ndm_flags"), Neighbour.FLAGS);
  }

  @Test
  void shouldRefuseLengthsThatLie() {
    assertThrows(UncheckedIOException.class, () -> Message.parse(message(400, Message.NEWROUTE)));
    assertThrows(UncheckedIOException.class, () -> Message.parse(message(-1, Message.NEWROUTE)));
    assertThrows(UncheckedIOException.class, () -> Message.parse(message(15, Message.NEWROUTE)));
    for (int length : new int[] {0, 3, 60, 0xFFFF}) {
      ByteBuffer lies = message(64, Message.NEWROUTE);
      lies.putShort(28, (short) length);
      assertThrows(
          UncheckedIOException.class, () -> Message.parse(lies).getFirst().object(), "" + length);
    }
  }

  @Test
  void shouldReadOrRefuseWhateverComes() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < 100_000; round++) {
      int type =
          switch (random.nextInt(8)) {
            case 0 -> Message.NEWNEXTHOP;
            case 1 -> Message.NEWNETCONF;
            default -> Message.NEWLINK;
          };
      ByteBuffer noise = message(64, type + random.nextInt(18));
      for (int i = 16; i < 64; i++) {
        noise.put(i, (byte) random.nextInt(random.nextBoolean() ? 24 : 256));
      }
      noise.put(16, new byte[] {0, 2, 7, 10}[random.nextInt(4)]);
      try {
        NetlinkSubscription.parse(noise, change -> {});
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + " round " + round, e);
      }
    }
  }

  private static ByteBuffer message(int length, int type) {
    return ByteBuffer.allocate(64)
        .order(ByteOrder.nativeOrder())
        .putInt(0, length)
        .putShort(4, (short) type)
        .put(16, (byte) 2);
  }
}
