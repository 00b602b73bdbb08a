package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.flow.FlowCopy;
import io.gatun.flow.FlowFile;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.RewriteStage;
import io.gatun.flow.TrackStage;
import io.gatun.packet.Frame;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.FrontSpec.Affinity;
import io.gatun.service.FrontSpec.Masquerade;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** semantics.md, 5: session affinity by client address. */
class AffinityTest {
  private static final long SECOND = 1_000_000_000L;
  private static final List<String> TEN = endpoints("10.2.0.", 10);
  private static final List<String> TEN6 = endpoints("fd00:2::", 10);

  private FlowTable flows = new FlowTable(100_000, FlowTimeouts.defaults(), new Qsbr(1));
  private ServiceTable services = new ServiceTable(flows, new Qsbr(1));
  private final SourceAddresses sources = new SourceAddresses();
  private long nanos = 1L << 40;
  private final ParseStage parse = new ParseStage();
  private TrackStage track = new TrackStage(flows, () -> nanos);
  private ServiceStage service = new ServiceStage(services, flows, sources, track);
  private final RewriteStage rewrite = new RewriteStage();
  private final PacketVector v = new PacketVector();
  private int port = 1024;

  @AfterEach
  void close() {
    services.close();
    flows.close();
  }

  private static List<String> endpoints(String prefix, int n) {
    List<String> all = new ArrayList<>();
    for (int i = 1; i <= n; i++) {
      all.add(prefix + i);
    }
    return all;
  }

  private static FrontSpec front(
      String service, String address, List<String> endpoints, int seconds, int prefix) {
    EndpointSet set =
        EndpointSet.of(
            endpoints.stream()
                .map(e -> new InetSocketAddress(InetAddress.ofLiteral(e), 8080))
                .toList());
    return new FrontSpec(
        service,
        FrontKind.CLUSTER_IP,
        InetAddress.ofLiteral(address),
        6,
        80,
        Backends.of(set),
        false,
        Masquerade.NOBODY,
        List.of(),
        new Affinity(seconds, prefix));
  }

  /** The endpoint of a new connection. */
  private String connect(String client, String to) {
    return send(PacketBuilder.ip(client, to).tcp(++port, 80).flags(Tcp.SYN));
  }

  private String send(PacketBuilder packet) {
    try (Frame frame = Frame.of(packet.bytes(), 256)) {
      v.size = 0;
      v.append(frame.start(), frame.address(), frame.length(), 1);
      parse.process(v);
      track.process(v);
      service.process(v);
      rewrite.process(v);
      assertEquals(Verdict.CONTINUE, v.verdict[0]);
      FlowCopy flow = flows.copy(v.flow[0], 0);
      return flow.endpoint().getHostAddress();
    }
  }

  private void assertSticky(String client, String to, String endpoint) {
    for (int i = 0; i < 20; i++) {
      assertEquals(endpoint, connect(client, to));
    }
  }

  private boolean wanders(String client, String to) {
    String first = connect(client, to);
    for (int i = 0; i < 50; i++) {
      if (!connect(client, to).equals(first)) {
        return true;
      }
    }
    return false;
  }

  /** Everything anew, but for what is in the file. */
  private void restart(Path directory) throws IOException {
    close();
    FlowFile file = FlowFile.open(directory, 1000, 1000, ServiceTable.ANNEX);
    flows = new FlowTable(1000, FlowTimeouts.defaults(), new Qsbr(1), file);
    services = new ServiceTable(flows, new Qsbr(1), file.annex());
    track = new TrackStage(flows, () -> nanos);
    service = new ServiceStage(services, flows, sources, track);
  }

  @Test
  void shouldOutliveTheProcess() throws IOException {
    Path directory = Files.createTempDirectory(Path.of("/dev/shm"), "gatun-affinity-");
    try {
      restart(directory);
      FrontSpec other = front("d/other", "10.96.0.2", TEN, 60, 128);
      FrontSpec sticky = front("d/web", "10.96.0.1", TEN, 60, 128);
      services.apply(List.of(other, sticky), List.of());
      List<String> before = new ArrayList<>();
      for (int i = 2; i < 60; i++) {
        before.add(connect("10.1.0." + i, "10.96.0.1"));
      }
      restart(directory);
      services.apply(List.of(sticky, other), List.of()); // other numbers than before
      for (int i = 2; i < 60; i++) {
        assertSticky("10.1.0." + i, "10.96.0.1", before.get(i - 2));
      }
      nanos += 62 * SECOND;
      restart(directory);
      services.apply(List.of(sticky, other), List.of());
      List<String> after = new ArrayList<>();
      for (int i = 2; i < 60; i++) {
        after.add(connect("10.1.0." + i, "10.96.0.1"));
      }
      assertNotEquals(before, after, "not for ever");
    } finally {
      Files.deleteIfExists(directory.resolve("flows"));
      Files.delete(directory);
    }
  }

  @Test
  void shouldShareTheEndpointAmongAllFrontsOfAServicePort() {
    services.apply(
        List.of(
            front("d/web:a", "10.96.0.1", TEN, 60, 128),
            front("d/web:a", "198.51.100.1", TEN, 60, 128),
            front("d/web:b", "10.96.0.2", TEN, 60, 128),
            front("d/free", "10.96.0.3", TEN, 0, 128)),
        List.of());
    String endpoint = connect("10.1.0.2", "10.96.0.1");
    assertSticky("10.1.0.2", "10.96.0.1", endpoint);
    assertSticky("10.1.0.2", "198.51.100.1", endpoint);
    assertTrue(wanders("10.1.0.2", "10.96.0.3"));
    // Another port of the Service and another client have endpoints of their own.
    List<String> others = new ArrayList<>();
    for (int i = 3; i < 40; i++) {
      others.add(connect("10.1.0." + i, "10.96.0.1"));
      others.add(connect("10.1.0." + i, "10.96.0.2"));
    }
    assertTrue(others.stream().distinct().count() > 5);
  }

  @Test
  void shouldBeRefreshedByNewConnectionsAndNotByPackets() {
    services.apply(List.of(front("d/web", "10.96.0.1", TEN, 10, 128)), List.of());
    String endpoint = connect("10.1.0.2", "10.96.0.1");
    for (int i = 0; i < 5; i++) {
      nanos += 8 * SECOND;
      assertEquals(endpoint, connect("10.1.0.2", "10.96.0.1"));
    }
    int last = port;
    int different = 0;
    for (int i = 0; i < 20; i++) {
      nanos += 6 * SECOND;
      send(PacketBuilder.ip("10.1.0.2", "10.96.0.1").tcp(last, 80).flags(Tcp.ACK));
      nanos += 6 * SECOND;
      String next = connect("10.1.0.2", "10.96.0.1");
      different += next.equals(endpoint) ? 0 : 1;
      endpoint = next;
      last = port;
    }
    assertTrue(different > 10, different + " of 20 got another endpoint after the time-out");
  }

  @Test
  void shouldCountOnlyWhileTheEndpointIsInTheSetThatTheFlowMayUse() {
    services.apply(List.of(front("d/web", "10.96.0.1", TEN, 600, 128)), List.of());
    String endpoint = connect("10.1.0.2", "10.96.0.1");
    List<String> others = new ArrayList<>(TEN);
    others.remove(endpoint);
    services.apply(List.of(front("d/web", "10.96.0.1", others, 600, 128)), List.of());
    String second = connect("10.1.0.2", "10.96.0.1");
    assertNotEquals(endpoint, second);
    // The first one is back, but the client has another one now.
    services.apply(List.of(front("d/web", "10.96.0.1", TEN, 600, 128)), List.of());
    assertSticky("10.1.0.2", "10.96.0.1", second);
  }

  @Test
  void shouldTakeClientsOfOnePrefixForOne() {
    services.apply(List.of(front("d/web", "fd00:96::1", TEN6, 600, 64)), List.of());
    String endpoint = connect("2001:db8:1::1", "fd00:96::1");
    for (int i = 2; i < 30; i++) {
      assertEquals(endpoint, connect("2001:db8:1::" + i, "fd00:96::1"));
    }
    List<String> others = new ArrayList<>();
    for (int i = 2; i < 30; i++) {
      others.add(connect("2001:db8:1:" + i + "::1", "fd00:96::1"));
    }
    assertTrue(others.stream().distinct().count() > 4);
  }

  @Test
  void shouldKeepTheClientsOfAServicePortThatMoves() {
    FrontSpec before = front("d/web", "10.96.0.1", TEN, 600, 128);
    FrontSpec after = front("d/web", "10.96.0.2", TEN, 600, 128);
    services.apply(List.of(before), List.of());
    String endpoint = connect("10.1.0.2", "10.96.0.1");
    services.apply(List.of(after), List.of(before.key()));
    assertSticky("10.1.0.2", "10.96.0.2", endpoint);
  }

  @Test
  void shouldForgetTheClientsOfAServiceThatWasMadeAnew() {
    FrontSpec web = front("d/web", "10.96.0.1", TEN, 600, 128);
    int different = 0;
    for (int i = 0; i < 20; i++) {
      services.apply(List.of(web), List.of());
      String before = connect("10.1.0.2", "10.96.0.1");
      services.apply(List.of(), List.of(web.key()));
      services.apply(List.of(web), List.of());
      different += connect("10.1.0.2", "10.96.0.1").equals(before) ? 0 : 1;
      services.apply(List.of(), List.of(web.key()));
    }
    assertTrue(different > 10, different + " of 20");
  }

  @Test
  void shouldStayWithinItsMemoryAndKeepTheLatestClients() {
    try (AffinityTable table = new AffinityTable(16);
        Blocks blocks = new Blocks()) {
      EndpointSet set = EndpointSet.of(List.of(new InetSocketAddress("10.2.0.1", 80)));
      long record = SetRecord.write(blocks, set, endpoint -> 0);
      long endpoint = SetRecord.endpoint(record, 0);
      for (int client = 0; client < 10_000; client++) {
        table.remember(1, 0, client, endpoint, client, 1 << 20);
      }
      int known = 0;
      for (int client = 9_990; client < 10_000; client++) {
        known += table.find(1, 0, client, record, 10_000) == 0 ? 1 : 0;
      }
      assertEquals(10, known);
      assertEquals(-1, table.find(1, 0, 0, record, 10_000));
      assertEquals(-1, table.find(2, 0, 9_999, record, 10_000));
    }
  }
}
