package io.gatun.port.packet;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ffm.packet.MessageBatch;
import io.gatun.ffm.packet.PacketSocket;
import io.gatun.ffm.packet.VirtioNetHeader;
import io.gatun.port.Netns;
import io.gatun.port.PortSet;
import io.gatun.port.UplinkCases;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every frame is either ours or the kernel's: what the filter takes the chain drops. */
class UplinkFramesIT {
  private static final String PREFIX = "upl" + ProcessHandle.current().pid();
  private static final String OUTSIDE = PREFIX + "-o";
  private static final String NODE = PREFIX + "-n";
  private static final long PEER = 0x02_00_00_00_00_0aL;
  private static final long OWN = 0x02_00_00_00_01_01L;
  private static final byte[] MAC = {2, 0, 0, 0, 1, 1};

  /** The interface's: to these the head of the chain accepts streams. */
  private static final List<InetAddress> ADDRESSES =
      List.of(InetAddress.ofLiteral("10.0.0.2"), InetAddress.ofLiteral("fd00::2"));

  private static final long HOUR = TimeUnit.HOURS.toNanos(1);
  private static final Pattern COUNTED = Pattern.compile("packets ([0-9]+)");

  private NftLease lease;
  private UplinkFrames uplinks;
  private PacketSocket socket;
  private PacketSocket sender;
  private MessageBatch inbox;
  private MessageBatch outbox;
  private NativeArea area;

  @BeforeEach
  void up() throws Exception {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")), "skipped: namespaces need root");
    Netns.run("ip netns add " + OUTSIDE);
    Netns.run("ip netns add " + NODE);
    for (String name : new String[] {OUTSIDE, NODE}) {
      Netns.run(
          "ip netns exec " + name + " sysctl -qw net.ipv6.conf.default.disable_ipv6=1"); // silence
    }
    Netns.run(
        "ip -n %s link add gx address 02:00:00:00:01:01 type veth peer name eth0 netns %s"
            .formatted(NODE, OUTSIDE));
    Netns.run("ip -n %s link set gx up".formatted(NODE));
    Netns.run("ip -n %s link set eth0 up".formatted(OUTSIDE));
    area = NativeArea.map("uplink test", 8192);
    outbox = new MessageBatch("uplink test out", 1);
    inbox = new MessageBatch("uplink test in", 1);
    inbox.set(0, area.address() + 4096, 4096);
    sender = Netns.inside(OUTSIDE, () -> PacketSocket.open(index("eth0"), FrameFilter.pod()));
    lease = Netns.inside(NODE, () -> NftLease.open(_ -> ADDRESSES));
    uplinks = new UplinkFrames(lease);
    Share share = Share.uplink(lease, uplinks, MAC);
    socket = Netns.inside(NODE, () -> PacketSocket.open(index("gx"), share.filter()));
    share.attach("gx");
    share.follow("gx", socket);
    lease.renew(Libc.monotonicNanos() + HOUR);
    probe();
  }

  private static void probe() throws Exception {
    nft("add table netdev probe");
    nft("add counter netdev probe passed");
    nft("add chain netdev probe c { type filter hook ingress device gx priority 0; }");
    nft("add rule netdev probe c counter name passed");
  }

  @AfterEach
  void down() throws Exception {
    if (lease != null) {
      sender.close();
      socket.close();
      lease.close();
      Netns.attempt("ip netns del " + OUTSIDE);
      Netns.attempt("ip netns del " + NODE);
    }
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.1, 10.0.0.2, 10.0.0.3", "fd00::1, fd00::2, fd00::3"})
  void shouldGiveEachFrameToOneOfUs(String client, String node, String pod) throws Exception {
    uplinks.own(UplinkCases.addresses(node), UplinkCases.CLAIMS);
    for (UplinkCases.Case one : UplinkCases.of(client, node, pod, PEER, OWN)) {
      expect(one.what(), one.ours(), one.frame());
      byte[] others = one.frame().clone();
      others[5] ^= 1;
      expect(one.what() + ", to another MAC", false, others);
    }
  }

  @Test
  void shouldFollowTheList() throws Exception {
    UplinkCases.Case ssh = UplinkCases.of("10.0.0.1", "10.0.0.2", "10.0.0.3", PEER, OWN).getFirst();
    expect("no address is known", true, ssh.frame());
    uplinks.own(UplinkCases.addresses("10.0.0.2"), new PortSet());
    expect("the node's", false, ssh.frame());
    uplinks.own(UplinkCases.addresses("10.0.0.2"), new PortSet().add(6, 22));
    expect("claimed", true, ssh.frame());
    nft("flush ruleset");
    lease.expire();
    lease.renew(Libc.monotonicNanos() + HOUR); // puts it all back
    probe();
    expect("claimed, after a flush", true, ssh.frame());
    uplinks.own(Set.of(InetAddress.ofLiteral("10.0.0.2")), new PortSet().add(6, 23, 65_535));
    expect("not claimed any more", false, ssh.frame());
    lease.expire();
    send(ssh.frame());
    assertEquals(1, counted(), "without a lease the kernel has it, too");
  }

  @Test
  void shouldAcceptTheNodesStreamsBeforeAllElse() throws Exception {
    assertEquals(0, before("iiftype"), "no address is known");
    uplinks.own(UplinkCases.addresses("10.0.0.2"), UplinkCases.CLAIMS);
    assertEquals(1, before("iiftype"), "one is");
  }

  /** Rules that stand before the first one that says {@code word}. */
  private static long before(String word) throws Exception {
    String chain = nft("list chain netdev gatun gx");
    return chain.substring(0, chain.indexOf(word)).lines().filter(l -> l.contains("@nh")).count();
  }

  private void expect(String what, boolean ours, byte[] frame) throws Exception {
    send(frame);
    boolean received = inbox.receive(socket.fd(), 1) == 1;
    assertEquals(ours ? "ours" : "kernel's", verdict(received, counted() == 1), what);
  }

  private static String verdict(boolean received, boolean kernel) {
    if (received == kernel) {
      return received ? "both's" : "nobody's";
    }
    return received ? "ours" : "kernel's";
  }

  /** A veth delivers before the call returns, or a moment later. */
  private void send(byte[] frame) throws Exception {
    counted();
    while (inbox.receive(socket.fd(), 1) == 1) {
      // something that was not asked for
    }
    VirtioNetHeader.writePlain(area.address());
    Memory.copyIn(frame, 0, area.address() + VirtioNetHeader.BYTES, frame.length);
    outbox.set(0, area.address(), VirtioNetHeader.BYTES + frame.length);
    assertEquals(1, outbox.send(sender.fd(), 0, 1));
    TimeUnit.MILLISECONDS.sleep(2);
  }

  /** Frames that came past our chain since the last question. */
  private int counted() throws Exception {
    Matcher matcher = COUNTED.matcher(nft("reset counter netdev probe passed"));
    return matcher.find() ? Integer.parseInt(matcher.group(1)) : -1;
  }

  private static String nft(String words) throws Exception {
    return Netns.run("ip netns exec " + NODE + " nft " + words);
  }

  private static int index(String name) {
    return Libc.ifNameToIndex(name);
  }
}
