package io.gatun.port.packet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Libc;
import io.gatun.port.Netns;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The kernel drops its copies while the lease lasts, and no longer, whoever is dead by then. */
class NftLeaseIT {
  private static final String PREFIX = "nft" + ProcessHandle.current().pid();
  private static final String POD = PREFIX + "-p";
  private static final String NODE = PREFIX + "-g";
  private static final long HOUR = TimeUnit.HOURS.toNanos(1);

  private NftLease lease;

  @BeforeEach
  void up() throws Exception {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")), "skipped: namespaces need root");
    Netns.run("ip netns add " + POD);
    Netns.run("ip netns add " + NODE);
    Netns.run("ip -n %s link add gx type veth peer name eth0 netns %s".formatted(NODE, POD));
    Netns.run("ip -n %s addr add 10.78.0.2/24 dev gx".formatted(NODE));
    Netns.run("ip -n %s addr add 10.78.0.1/24 dev eth0".formatted(POD));
    Netns.run("ip -n %s link set gx up".formatted(NODE));
    Netns.run("ip -n %s link set eth0 up".formatted(POD));
    lease = Netns.inside(NODE, NftLease::open);
    Share.pod(lease).attach("gx");
  }

  @AfterEach
  void down() throws Exception {
    if (lease != null) {
      lease.close();
      Netns.attempt("ip netns del " + POD);
      Netns.attempt("ip netns del " + NODE);
    }
  }

  @Test
  void shouldDropTheKernelsCopyWhileTheLeaseLasts() throws Exception {
    assertTrue(answered(), "no lease yet");
    lease.renew(Libc.monotonicNanos() + HOUR);
    assertFalse(answered(), "ours");
    lease.expire();
    assertEquals(0, lease.until());
    assertTrue(answered(), "given back");
  }

  @Test
  void shouldRunOutByItself() throws Exception {
    lease.renew(Libc.monotonicNanos() + TimeUnit.SECONDS.toNanos(2));
    assertFalse(answered());
    lease.close(); // dead
    TimeUnit.MILLISECONDS.sleep(2100);
    assertTrue(answered());
  }

  @Test
  void shouldBeTakenOverByASuccessor() throws Exception {
    lease.renew(Libc.monotonicNanos() + HOUR);
    lease.close();
    lease = Netns.inside(NODE, NftLease::open);
    Share.pod(lease).attach("gx");
    assertFalse(answered(), "the predecessor's lease runs on");
    String rules = Netns.run("ip netns exec " + NODE + " nft list chain netdev gatun gx");
    assertEquals(2, rules.split(" drop\n", -1).length - 1 + rules.split("\tdrop\n", -1).length - 1);
    lease.remove();
    assertTrue(answered());
    assertEquals("", Netns.run("ip netns exec " + NODE + " nft list ruleset"));
  }

  @Test
  void shouldPutBackWhatSomebodyFlushed() throws Exception {
    lease.renew(Libc.monotonicNanos() + TimeUnit.MILLISECONDS.toNanos(200));
    Netns.run("ip netns exec " + NODE + " nft flush ruleset");
    TimeUnit.MILLISECONDS.sleep(200);
    lease.renew(Libc.monotonicNanos() + HOUR);
    assertFalse(answered());
    assertTrue(lease.until() > 0);
    assertTrue(Netns.inside(NODE, NftLease::undo), "a dead daemon's table");
    assertFalse(Netns.inside(NODE, NftLease::undo), "there is none");
  }

  private static boolean answered() throws Exception {
    return Netns.attempt("ip netns exec " + POD + " ping -c 1 -W 1 10.78.0.2").code() == 0;
  }
}
