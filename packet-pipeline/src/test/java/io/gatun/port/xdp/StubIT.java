package io.gatun.port.xdp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Libc;
import io.gatun.ffm.bpf.Bpf;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ffm.xdp.Xdp;
import io.gatun.packet.PacketBuilder;
import io.gatun.port.PortSet;
import io.gatun.port.UplinkCases;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StubIT {
  private static final long OWN = 0x02_00_00_00_01_01L;
  private static final long OTHER = 0x02_00_00_00_01_99L;
  private static final long PEER = 0x02_00_00_00_00_0aL;
  private static final byte[] MAC = Namespaces.MAC_A;
  private static final long BITS = Namespaces.bits(MAC);

  @TempDir Path run;
  private Pins pins;
  private Lease lease;
  private OwnTraffic own;
  private NativeArea area;
  private BridgedMacs bridged;
  private int sockets;
  private int uplink;
  private int pod;

  @BeforeEach
  void load() {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")), "skipped: loading a program needs root");
    pins = Pins.mount(run.resolve("bpf"));
    lease = Lease.open(pins);
    own = OwnTraffic.open(pins);
    area = NativeArea.map("stub test", 4096);
    sockets = Bpf.createMap(Bpf.MAP_TYPE_XSKMAP, 4, 4, 4, 0, "test_xsks");
    bridged = BridgedMacs.open(pins.directory("pod0"));
    uplink =
        Bpf.loadXdp(
            Stub.assemble(XdpRole.UPLINK, BITS, lease.mapFd(), sockets, own, null), "up", 0);
    pod =
        Bpf.loadXdp(
            Stub.assemble(XdpRole.POD, BITS, lease.mapFd(), sockets, own, bridged), "pod", 0);
    lease.renew(Long.MAX_VALUE);
  }

  @AfterEach
  void unload() {
    if (pins == null) {
      return;
    }
    Libc.close(pod);
    bridged.close();
    Libc.close(uplink);
    Libc.close(sockets);
    area.close();
    lease.close();
    own.close();
    pins.remove();
    assertFalse(Files.exists(run.resolve("bpf")));
  }

  private int verdict(int program, byte[] frame) {
    Memory.copyIn(frame, 0, area.address(), frame.length);
    return Bpf.testRun(program, area.address(), frame.length, 0, 0, 1).verdict();
  }

  private void expect(String what, boolean oursOnUplink, boolean oursOnPod, byte[] frame) {
    int ours = Xdp.XDP_DROP; // no socket: the hold
    assertEquals(oursOnUplink ? ours : Xdp.XDP_PASS, verdict(uplink, frame), what + ", uplink");
    assertEquals(oursOnPod ? ours : Xdp.XDP_PASS, verdict(pod, frame), what + ", pod");
    lease.expire();
    assertEquals(Xdp.XDP_PASS, verdict(uplink, frame), what + ", uplink, lease out");
    assertEquals(Xdp.XDP_PASS, verdict(pod, frame), what + ", pod, lease out");
    lease.renew(Libc.monotonicNanos() + 3_600_000_000_000L);
  }

  private static PacketBuilder v4() {
    return PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).macs(PEER, OWN);
  }

  private static PacketBuilder v6(String from, String to) {
    return PacketBuilder.ipv6(from, to).macs(PEER, OWN);
  }

  private static byte[] etherType(int type) {
    byte[] frame = v4().bytes();
    frame[12] = (byte) (type >> 8);
    frame[13] = (byte) type;
    return frame;
  }

  @Test
  void shouldKnowWhatIsNotOurs() {
    expect("IPv4", true, true, v4().bytes());
    expect("IPv4 to another MAC", false, true, v4().macs(PEER, OTHER).bytes());
    expect("broadcast", false, false, v4().macs(PEER, 0xFFFF_FFFF_FFFFL).bytes());
    expect("group", false, false, v4().macs(PEER, 0x01_00_5e_00_00_05L).bytes());
    expect("ARP", false, false, etherType(0x0806));
    expect("LLDP", false, false, etherType(0x88CC));
    expect("VLAN", false, false, v4().vlan(7).bytes());
    expect("IPv6", true, true, v6("fd00::1", "fd00::2").udp(1, 2).bytes());
    expect("from fe80", false, false, v6("fe80::1", "fd00::2").udp(1, 2).bytes());
    expect("to febf", false, false, v6("fd00::1", "febf::2").udp(1, 2).bytes());
    expect("to fec0", true, true, v6("fd00::1", "fec0::2").udp(1, 2).bytes());
    expect("ping6", true, true, v6("fd00::1", "fd00::2").icmp(128, 0, 0).bytes());
    for (int type = 133; type <= 137; type++) {
      expect("ND " + type, false, false, v6("fd00::1", "fd00::2").icmp(type, 0, 0).bytes());
    }
    expect("ICMPv6 138", true, true, v6("fd00::1", "fd00::2").icmp(138, 0, 0).bytes());
    byte[] cut = java.util.Arrays.copyOf(v6("fe80::1", "fd00::2").udp(1, 2).bytes(), 40);
    expect("cut IPv6 header", true, true, cut);
  }

  @Test
  void shouldLeaveToTheBridgeWhatIsNotSwitched() {
    expect("no bridge's", false, true, v4().macs(PEER, OTHER).bytes());
    bridged.switching(List.of(OWN));
    expect("switched", true, true, v4().bytes());
    expect("switched, IPv6", true, true, v6("fd00::1", "fd00::2").udp(1, 2).bytes());
    expect("fe80 all the same", false, false, v6("fe80::1", "fd00::2").udp(1, 2).bytes());
    expect("not switched", false, false, v4().macs(PEER, OTHER).bytes());
    bridged.switching(List.of(OWN, OTHER));
    expect("learnt", false, true, v4().macs(PEER, OTHER).bytes());
    try (BridgedMacs successor = BridgedMacs.open(pins.directory("pod0"))) {
      assertTrue(successor.inherited());
      successor.switching(List.of(OTHER));
      expect("forgotten, also of a predecessor's", true, false, v4().bytes());
      successor.route();
      expect("no bridge's any more", true, true, v4().bytes());
    }
  }

  /** On an uplink the kernel's, at a pod's port ours. */
  private void expectHosts(String what, PacketBuilder frame) {
    expect(what, false, true, frame.macs(PEER, OWN).bytes());
  }

  private void expectOurs(String what, PacketBuilder frame) {
    expect(what, true, true, frame.macs(PEER, OWN).bytes());
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.1, 10.0.0.2, 10.0.0.3", "fd00::1, fd00::2, fd00::3"})
  void shouldLeaveToTheHostWhatIsItsOwn(String client, String node, String pod) {
    own.own(UplinkCases.addresses(node), UplinkCases.CLAIMS);
    for (UplinkCases.Case one : UplinkCases.of(client, node, pod, PEER, OWN)) {
      expect(one.what(), one.ours(), true, one.frame());
    }
    own.addresses(List.of(InetAddress.ofLiteral(pod)));
    own.claims(new PortSet());
    expectOurs("the address has gone", PacketBuilder.ip(client, node).tcp(40_000, 22));
    expectHosts("the claim has gone", PacketBuilder.ip(client, pod).tcp(40_000, 30_080));
  }

  @Test
  void shouldLeaveToASuccessorWhatIsKnown() {
    InetAddress kept = InetAddress.ofLiteral("10.0.0.2");
    own.addresses(List.of(kept, InetAddress.ofLiteral("fd00::9")));
    own.claims(new PortSet().add(6, 30_080));
    try (OwnTraffic successor = OwnTraffic.open(pins)) {
      assertTrue(successor.inherited());
      assertTrue(successor.isClaimed(6, 30_080));
      assertFalse(successor.isClaimed(17, 30_080));
      assertEquals(1, successor.addresses(List.of(kept)), "one forgotten, one kept");
      expectOurs("the forgotten one", PacketBuilder.ip("fd00::1", "fd00::9").tcp(1, 22));
      expectHosts("the kept one", PacketBuilder.ip("10.0.0.1", "10.0.0.2").tcp(1, 22));
    }
  }

  @Test
  void shouldHaveTheSameTagForTheSameInterface() {
    int again =
        Bpf.loadXdp(Stub.assemble(XdpRole.UPLINK, BITS, lease.mapFd(), sockets, own, null), "x", 0);
    assertEquals(Bpf.tag(uplink), Bpf.tag(again));
    Libc.close(again);
  }
}
