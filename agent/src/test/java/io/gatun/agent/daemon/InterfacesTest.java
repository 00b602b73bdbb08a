package io.gatun.agent.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.UsageException;
import io.gatun.agent.config.Configuration;
import io.gatun.agent.config.ConfigurationException;
import io.gatun.agent.config.GatunConfiguration.Driver;
import io.gatun.control.document.MacAddress;
import io.gatun.control.kernel.KernelTables.Address;
import io.gatun.control.kernel.KernelTables.Link;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InterfacesTest {
  private static final String KUBE_PROXY =
      """
      apiVersion: kubeproxy.config.k8s.io/v1alpha1
      kind: KubeProxyConfiguration
      """;

  private static final int WITHOUT_NATIVE_XDP = 77;

  @TempDir private Path folder;

  private Interfaces interfaces(String text) throws IOException, ConfigurationException {
    return new Interfaces(
        Configuration.read(Files.writeString(folder.resolve("config.yaml"), text)),
        index -> index == WITHOUT_NATIVE_XDP);
  }

  private Interfaces listed(String entries) throws IOException, ConfigurationException {
    return interfaces(
        "apiVersion: gatun.io/v1alpha1\nkind: GatunConfiguration\ninterfaces: [" + entries + "]\n");
  }

  private static Link link(int index, String name, String kind, boolean peerElsewhere) {
    MacAddress mac = new MacAddress(name.equals("lo") ? 0 : 0x020000000000L + index);
    return new Link(index, name, mac, 1500, true, true, kind, 0, 0, peerElsewhere, null);
  }

  private static Address address(int index, String literal, int length) {
    return new Address(index, InetAddress.ofLiteral(literal), length);
  }

  private static List<String> roles(List<Interfaces.Taken> taken) {
    return taken.stream().map(t -> t.port().name() + " " + t.role() + " " + t.driver()).toList();
  }

  @Test
  void shouldDiscoverUplinksAndPods() throws Exception {
    List<Link> links =
        List.of(
            link(1, "lo", "", false),
            link(2, "eth0", "", false),
            link(3, "eth1", "", false), // no address: nobody's way out
            link(4, "cali1", "veth", true),
            link(5, "veth2", "veth", true), // a ptp plugin's, with the gateway's address
            link(6, "up0", "veth", true), // a node made of namespaces
            link(7, "gatun0", "veth", false),
            link(8, "gatun1", "veth", false),
            link(9, "cni0", "bridge", false),
            link(10, "flannel.1", "vxlan", false),
            link(11, "bond0", "bond", false));
    List<Address> addresses =
        List.of(
            address(1, "127.0.0.1", 8),
            address(2, "192.0.2.1", 24),
            address(3, "fe80::1", 64),
            address(4, "fe80::2", 64),
            address(5, "10.1.0.1", 32),
            address(6, "2001:db8::1", 64),
            address(7, "169.254.103.1", 30),
            address(9, "10.244.0.1", 24),
            address(10, "10.244.0.0", 32));
    assertEquals(
        List.of("eth0 UPLINK XDP", "cali1 POD PACKET", "veth2 POD PACKET", "up0 UPLINK PACKET"),
        roles(interfaces(KUBE_PROXY).wanted(links, addresses)));
  }

  @Test
  void shouldTakeWhatIsListedInItsOrderAndRefuseWhatCannotBeTaken() throws Exception {
    List<Link> links =
        List.of(
            link(2, "eth0", "", false),
            link(3, "cali1", "veth", true),
            link(4, "cali2", "veth", true),
            link(5, "bond0", "bond", false),
            link(6, "eth0.7", "vlan", false));
    Interfaces listed =
        listed(
            "{name: \"cali*\", role: pod, driver: xdp}, {name: \"eth*\", role: uplink},"
                + " {name: bond0, role: uplink}, {name: later0, role: pod}");
    assertEquals(
        List.of("cali1 POD XDP", "cali2 POD XDP", "eth0 UPLINK XDP"),
        roles(listed.wanted(links, List.of())));
    assertTrue(listed.mayCome(Driver.PACKET)); // later0
    assertFalse(listed("{name: eth0, role: uplink, driver: xdp}").mayCome(Driver.PACKET));
    assertEquals(
        List.of("eth0 UPLINK PACKET"),
        roles(
            listed("{name: eth0, role: uplink}")
                .wanted(List.of(link(2, "eth0", "veth", true)), List.of())));
    assertEquals(
        List.of("eth0 UPLINK PACKET"),
        roles(
            listed("{name: eth0, role: uplink}")
                .wanted(List.of(link(WITHOUT_NATIVE_XDP, "eth0", "", false)), List.of())));
  }

  /** What it would be given, the bond sends by whichever member it likes. */
  @Test
  void shouldRefuseTheMembersOfABond() throws Exception {
    MacAddress mac = new MacAddress(0x020000000001L);
    Link member = new Link(2, "eth0", mac, 1500, true, true, "", 5, 0, false, null);
    Link alone = new Link(3, "eth1", mac, 1500, true, true, "", 0, 0, false, null);
    assertEquals(
        List.of("eth1 UPLINK XDP"),
        roles(
            listed("{name: \"eth*\", role: uplink}")
                .wanted(List.of(member, alone, link(5, "bond0", "bond", false)), List.of())));
  }

  @Test
  void shouldKnowAReplacedInterfaceFromAnUnchangedOne() throws Exception {
    Interfaces listed = listed("{name: eth0, role: uplink}");
    Interfaces.Taken before =
        listed.wanted(List.of(link(2, "eth0", "", false)), List.of()).getFirst().numbered(7);
    assertTrue(
        listed.wanted(List.of(link(2, "eth0", "", false)), List.of()).getFirst().isStill(before));
    assertFalse(
        listed.wanted(List.of(link(9, "eth0", "", false)), List.of()).getFirst().isStill(before));
    assertEquals(7, before.port().number());
  }

  @Test
  void shouldRefuseADriverThatIsNotThere() {
    assertThrows(UsageException.class, () -> listed("{name: eth0, role: uplink, driver: memory}"));
  }
}
