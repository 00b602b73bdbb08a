package io.gatun.agent.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.overlay.OverlayDevice;
import io.gatun.control.overlay.RemoteNode;
import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class KernelOverlayTest {
  private static final MacAddress FIRST = mac("0a:58:0a:f4:01:00");
  private static final MacAddress SECOND = mac("0a:58:0a:f4:02:00");

  private static InetAddress ip(String text) {
    return Objects.requireNonNull(Addresses.parse(text));
  }

  private static MacAddress mac(String text) {
    return Objects.requireNonNull(MacAddress.parse(text));
  }

  private static Prefix prefix(String text) {
    return Objects.requireNonNull(Prefix.parse(text));
  }

  private static KernelOverlay.Device device(String local, List<InetAddress> own) {
    OverlayDevice overlay =
        new OverlayDevice(0, "flannel.1", 1, 8472, ip(local), mac("66:00:00:00:00:01"), List.of());
    return new KernelOverlay.Device(overlay, "eth0", 1450, own);
  }

  private static RemoteNode node(String pods, String address, MacAddress mac) {
    return new RemoteNode(List.of(prefix(pods)), ip(address), mac);
  }

  @Test
  void shouldMakeADeviceAsFlanneldDoes() {
    assertEquals(
        "link add flannel.1 address 66:00:00:00:00:01 type vxlan id 1 dev eth0 local 192.168.0.11"
            + " dstport 8472 nolearning noudpcsum",
        device("192.168.0.11", List.of()).link().add());
    assertEquals(
        "link add flannel.1 address 66:00:00:00:00:01 type vxlan id 1 dev eth0 local fd00:168::11"
            + " dstport 8472 nolearning",
        device("fd00:168::11", List.of()).link().add());
    assertEquals("link del flannel.1", device("192.168.0.11", List.of()).link().undo());
  }

  @Test
  void shouldSayOnlyWhatChangesAndTakeAwayLast() {
    KernelOverlay.Contents old =
        KernelOverlay.wanted(
            List.of(
                node("10.244.1.0/24", "192.168.0.12", FIRST),
                node("10.244.2.0/24", "192.168.0.13", SECOND)));
    KernelOverlay.Contents now =
        KernelOverlay.wanted(
            List.of(
                node("10.244.1.0/24", "192.168.0.12", SECOND),
                node("10.244.3.0/24", "192.168.0.14", FIRST)));
    assertEquals(
        List.of(
            "address replace 10.244.0.0/32 dev flannel.1",
            "neigh replace 10.244.1.0 lladdr 0a:58:0a:f4:02:00 dev flannel.1 nud permanent",
            "neigh replace 10.244.3.0 lladdr 0a:58:0a:f4:01:00 dev flannel.1 nud permanent",
            "route add 10.244.3.0/24 via 10.244.3.0 dev flannel.1 onlink",
            "route del 10.244.2.0/24 dev flannel.1",
            "neigh del 10.244.2.0 dev flannel.1"),
        KernelOverlay.lines(device("192.168.0.11", List.of(ip("10.244.0.0"))), now, old, false));
    assertEquals(
        List.of(), KernelOverlay.lines(device("192.168.0.11", List.of()), now, now, false));
    assertEquals(List.of(), KernelOverlay.lines(device("192.168.0.11", List.of()), now, old, true));
  }
}
