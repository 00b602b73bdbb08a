package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.RewriteStage;
import io.gatun.flow.TrackStage;
import io.gatun.packet.Frame;
import io.gatun.packet.PacketBuilder;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.FrontSpec.Affinity;
import io.gatun.service.FrontSpec.Masquerade;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * semantics.md, 6: "as soon as an endpoint is no longer serving, its UDP flows go, so the next
 * packet finds a new one; also when the last endpoint goes and when the Service goes"; and 4:
 * "existing flows keep their endpoint, also when it is terminating".
 */
class UdpCleaningTest {
  private static final String A = "10.2.0.1";
  private static final String B = "10.2.0.2";

  private final FlowTable flows = new FlowTable(1000, FlowTimeouts.defaults(), new Qsbr(1));
  private final ServiceTable services = new ServiceTable(flows, new Qsbr(1));
  private final ParseStage parse = new ParseStage();
  private final TrackStage track = new TrackStage(flows, () -> 1L << 40);
  private final ServiceStage service =
      new ServiceStage(services, flows, new SourceAddresses(), track);
  private final RewriteStage rewrite = new RewriteStage();
  private final PacketVector v = new PacketVector();

  @AfterEach
  void close() {
    services.close();
    flows.close();
  }

  private static EndpointSet set(String... endpoints) {
    return EndpointSet.of(
        Arrays.stream(endpoints)
            .map(e -> new InetSocketAddress(InetAddress.ofLiteral(e), 8080))
            .toList());
  }

  private static FrontSpec front(EndpointSet usable, EndpointSet serving) {
    return new FrontSpec(
        "d/dns",
        FrontKind.CLUSTER_IP,
        InetAddress.ofLiteral("10.96.0.10"),
        17,
        53,
        new Backends(usable, usable, serving),
        false,
        Masquerade.NOBODY,
        List.of(),
        Affinity.NONE);
  }

  private void become(EndpointSet usable, EndpointSet serving) {
    services.apply(List.of(front(usable, serving)), List.of());
  }

  @Test
  void shouldGoRightWhenTheServiceComesWhilePodsLeaveByItsAddress() {
    SourceAddresses sources = new SourceAddresses();
    sources.set(InetAddress.ofLiteral("192.168.0.2"), null);
    services.clients(
        new ClientRules(
            Map.of(),
            List.of(),
            ClientRules.Detect.NOT,
            List.of(),
            List.of(),
            List.of("10.1.0.0/16"),
            ClientRules.Egress.BOTH));
    ServiceStage leaving = new ServiceStage(services, flows, sources, track);
    assertEquals("10.96.0.10", next(leaving)); // nobody's address: out of the cluster
    become(set(B), set(B));
    assertEquals(B, next(leaving));
  }

  /** Where the next packet of the one socket goes. */
  private String next() {
    return next(service);
  }

  private String next(ServiceStage service) {
    byte[] packet = PacketBuilder.ip("10.1.0.2", "10.96.0.10").udp(4000, 53).bytes();
    try (Frame frame = Frame.of(packet, 256)) {
      v.size = 0;
      v.append(frame.start(), frame.address(), frame.length(), 1);
      parse.process(v);
      track.process(v);
      service.process(v);
      rewrite.process(v);
      return v.verdict[0] == Verdict.CONTINUE
          ? flows.copy(v.flow[0], 0).endpoint().getHostAddress()
          : v.verdict[0] == Verdict.ANSWER && v.dropReason[0] == DropReason.NO_ENDPOINTS.code()
              ? "rejected"
              : "dropped " + v.dropReason[0];
    }
  }

  @Test
  void shouldKeepAFlowWhileItsEndpointServesAndThenFindAnotherAtOnce() {
    become(set(A), set(A));
    assertEquals(A, next());
    become(set(B), set(A, B)); // A terminates
    assertEquals(A, next());
    become(set(B), set(B)); // and serves no longer
    assertEquals(B, next());
  }

  @Test
  void shouldGoRightWhenTheLastEndpointGoesAndComes() {
    become(set(A), set(A));
    assertEquals(A, next());
    become(EndpointSet.EMPTY, EndpointSet.EMPTY);
    assertEquals("rejected", next());
    become(set(B), set(B));
    assertEquals(B, next());
  }

  @Test
  void shouldGoRightWhenTheServiceIsMadeAnew() {
    become(set(A), set(A));
    assertEquals(A, next());
    services.apply(List.of(), List.of(front(set(A), set(A)).key()));
    assertEquals(0, flows.copies(f -> true, 10, 0).size());
    become(set(B), set(B));
    assertEquals(B, next());
  }
}
