package io.gatun.agent.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.control.manifest.ManifestException;
import io.gatun.control.manifest.ManifestReader;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.ObjectStore;
import io.gatun.control.service.NodeSettings;
import io.gatun.control.service.NodeView;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PrimaryAddressesTest {
  private static final InetAddress KERNEL = InetAddress.ofLiteral("192.0.2.1");

  private final List<List<InetAddress>> told = new ArrayList<>();
  private final ObjectStore objects = new ObjectStore();

  private PrimaryAddresses addresses(InetAddress... configured) {
    NodeSettings settings = new NodeSettings("node-a", List.of(configured), List.of(), "", false);
    return new PrimaryAddresses(settings, () -> List.of(KERNEL), told::add);
  }

  private void look(PrimaryAddresses addresses) {
    addresses.surroundings(objects, NodeView.of("node-a", List.of()));
  }

  private void node(String address) throws ManifestException {
    objects.put(
        ManifestReader.read(
                "node.yaml",
                """
                {apiVersion: v1, kind: Node, metadata: {name: node-a},
                 status: {addresses: [{type: InternalIP, address: %s}]}}
                """
                    .formatted(address))
            .objects()
            .getFirst());
  }

  @Test
  void shouldTakeTheAddressOfANodeObjectThatComesLater() throws ManifestException {
    PrimaryAddresses addresses = addresses();
    look(addresses);
    assertEquals(List.of(KERNEL), addresses.current());
    node("198.51.100.7");
    look(addresses);
    assertEquals(List.of(InetAddress.ofLiteral("198.51.100.7")), addresses.current());
    node("198.51.100.8");
    look(addresses);
    look(addresses);
    assertEquals(
        List.of("192.0.2.1", "198.51.100.7", "198.51.100.8"),
        told.stream().map(list -> list.getFirst().getHostAddress()).toList());
    objects.remove("Node", new ObjectName("", "node-a"));
    look(addresses);
    assertEquals(List.of(KERNEL), addresses.current());
  }

  @Test
  void shouldKeepWhatTheConfigurationSays() throws ManifestException {
    InetAddress configured = InetAddress.ofLiteral("203.0.113.9");
    PrimaryAddresses addresses = addresses(configured);
    look(addresses);
    node("198.51.100.7");
    look(addresses);
    assertEquals(List.of(List.of(configured)), told);
  }
}
