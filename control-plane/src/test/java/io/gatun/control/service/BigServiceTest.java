package io.gatun.control.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.control.document.Addresses;
import io.gatun.control.model.EndpointSlice;
import io.gatun.control.model.EndpointState;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.ObjectStore;
import io.gatun.control.model.Protocol;
import io.gatun.control.model.Service;
import io.gatun.control.model.ServicePort;
import io.gatun.control.model.SlicePort;
import io.gatun.control.model.TrafficPolicy;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.Algorithm;
import io.gatun.service.FrontKey;
import io.gatun.service.ServiceTable;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Issue 6: "one Service's change costs that Service; 100,000 endpoints in one Service work". */
class BigServiceTest {
  private static final int SLICES = 100;
  private static final int OF_A_SLICE = 1000;
  private static final int OTHERS = 1000;

  private final ObjectStore objects = new ObjectStore();
  private final FrontTable fronts = new FrontTable();
  private final NodeView node = NodeView.of("node-1", List.of(InetAddress.ofLiteral("192.0.2.1")));

  private static ObjectName name(String name) {
    return new ObjectName("default", name);
  }

  private static Service service(String name, String address) {
    return new Service(
        name(name),
        Service.Type.CLUSTER_IP,
        List.of(InetAddress.ofLiteral(address)),
        List.of(),
        List.of(),
        List.of(),
        List.of(new ServicePort("", Protocol.TCP, 80, 0)),
        TrafficPolicy.CLUSTER,
        TrafficPolicy.CLUSTER,
        0,
        128,
        Algorithm.MAGLEV,
        Map.of(),
        0,
        false,
        null);
  }

  private static EndpointSlice slice(String service, int number, int endpoints) {
    List<EndpointState> states = new ArrayList<>();
    for (int i = 0; i < endpoints; i++) {
      int n = number * OF_A_SLICE + i;
      states.add(
          new EndpointState(
              Addresses.of(new byte[] {10, (byte) (128 + (n >> 16)), (byte) (n >> 8), (byte) n}),
              true,
              true,
              false,
              "node-" + n % 5000,
              List.of(),
              List.of()));
    }
    return new EndpointSlice(
        name(service + "-" + number),
        name(service),
        false,
        List.of(new SlicePort("", Protocol.TCP, 8080)),
        states);
  }

  /** Milliseconds until what was changed in the objects is in the table. */
  private double apply(ServiceTable table) {
    long begin = System.nanoTime();
    var changes = objects.takeChanges();
    FrontChange change = fronts.update(objects, changes.services(), changes.pods(), node);
    table.apply(change.changedOrNew(), change.removed());
    return (System.nanoTime() - begin) / 1e6;
  }

  @Test
  void shouldServeAHundredThousandEndpointsAndLetTheOthersBe() {
    Qsbr qsbr = new Qsbr(1);
    FlowTable flows = new FlowTable(1024, FlowTimeouts.defaults(), qsbr);
    try (ServiceTable table = new ServiceTable(flows, qsbr)) {
      for (int i = 0; i < OTHERS; i++) {
        objects.put(service("other-" + i, "10.97." + i / 256 + "." + i % 256));
        objects.put(slice("other-" + i, 0, 2));
      }
      apply(table);
      objects.put(service("big", "10.96.0.1"));
      for (int i = 0; i < SLICES; i++) {
        objects.put(slice("big", i, OF_A_SLICE));
      }
      double first = apply(table);
      FrontKey big = new FrontKey(InetAddress.ofLiteral("10.96.0.1"), Protocol.TCP, 80);
      assertEquals(
          SLICES * OF_A_SLICE, Objects.requireNonNull(table.front(big)).endpoints().size());
      double change = Double.MAX_VALUE;
      double other = Double.MAX_VALUE;
      for (int k = 1; k <= 5; k++) {
        objects.put(slice("big", SLICES - 1, OF_A_SLICE - k));
        change = Math.min(change, apply(table));
        assertEquals(
            SLICES * OF_A_SLICE - k, Objects.requireNonNull(table.front(big)).endpoints().size());
        objects.put(slice("other-" + k, 0, 3));
        other = Math.min(other, apply(table));
      }
      System.out.printf(
          "100,000 endpoints: first %.0f ms, a change of one %.0f ms; of another Service's %.3f ms;"
              + " %d MB of tables%n",
          first, change, other, table.bytes() >> 20);
      assertTrue(other < change / 10, other + " ms beside " + change);
    }
    flows.close();
  }
}
