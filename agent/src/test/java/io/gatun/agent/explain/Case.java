package io.gatun.agent.explain;

import io.gatun.agent.config.Configuration;
import io.gatun.agent.config.ConfigurationException;
import io.gatun.control.document.Addresses;
import io.gatun.control.manifest.ManifestException;
import io.gatun.control.manifest.ManifestSource;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.FragmentTable;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.DataPath;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A node made from texts, asked by {@code explain} and by real packets. */
final class Case implements AutoCloseable {
  private static final int FRAMES = 64;

  private final OfflineNode node;
  private final FlowTable flows = new FlowTable(4096, FlowTimeouts.defaults(), new Qsbr(1));
  private final SynthesizedPacket packet = new SynthesizedPacket();
  private final PacketVector v = new PacketVector();
  private final FragmentTable fragments = new FragmentTable();
  private final NativeArea frames = NativeArea.map("frames", (long) FRAMES * FrameDepot.CHUNK);
  private final DataPath path;

  Case(Path folder, String configuration, String manifests, String... named) {
    try {
      Path config =
          Files.writeString(
              folder.resolve("config.yaml"),
              "kind: GatunConfiguration\napiVersion: gatun.io/v1alpha1\n" + configuration);
      Path objects = Files.writeString(folder.resolve("objects.yaml"), manifests);
      node =
          new OfflineNode(Configuration.read(config), new ManifestSource(objects), List.of(named));
    } catch (IOException | ConfigurationException | ManifestException e) {
      throw new AssertionError(e);
    }
    path =
        new DataPath(
            new DataPath.Tables(node.fib(), flows, fragments, node.services(), node.sources()),
            new ParseStage(),
            new Answers(() -> Long.MAX_VALUE / 2), // a full bucket of answers
            DataPath.Overlay.NONE,
            null,
            new FramePool(new FrameDepot(frames.address(), FrameDepot.CHUNK, FRAMES)),
            null,
            System::nanoTime);
  }

  Explanation explain(String flow) {
    return node.explain(FlowQuery.parse(flow));
  }

  /** What the worker's stages do with the flow's first packet: "verdict source destination". */
  String forward(String flow) {
    FlowQuery query = FlowQuery.parse(flow);
    v.size = 0;
    v.append(packet.frame(), packet.address(), packet.write(query), node.inPort(query));
    List<DataPath.Step> steps = path.steps();
    int at = 0;
    while (!steps.get(at).name().equals(DataPath.ROUTE)) {
      steps.get(at++).stage().process(v);
    }
    if (v.verdict[0] == Verdict.ANSWER) {
      return v.dropReason[0] == 0 ? "local" : "reject " + reason();
    }
    if (v.verdict[0] == Verdict.DROP) {
      return "drop " + reason();
    }
    boolean translated = v.flow[0] != 0 && !address(false).equals(query.dst());
    String addresses = Addresses.text(address(true)) + " > ";
    addresses +=
        translated
            ? Addresses.text(new InetSocketAddress(address(false), v.ports[0] & 0xFFFF))
            : Addresses.text(address(false));
    steps.get(at).stage().process(v);
    boolean lost = v.verdict[0] == Verdict.DROP || (v.flags[0] & PacketVector.ICMP_ERROR) != 0;
    if (lost && !lenient()) {
      return "drop " + reason();
    }
    return (translated ? "forward" : v.verdict[0] == Verdict.HOST && !lost ? "local" : "route")
        + " "
        + addresses;
  }

  private boolean lenient() {
    return !node.allRoutesKnown()
        && (v.dropReason[0] == DropReason.NO_ROUTE.code()
            || v.dropReason[0] == DropReason.NO_NEIGHBOUR.code());
  }

  private String reason() {
    return DropReason.of(v.dropReason[0]).name();
  }

  private InetAddress address(boolean source) {
    long l3 = v.address[0] + v.l3[0];
    if ((v.flags[0] & PacketVector.IPV6) != 0) {
      long at = l3 + (source ? Ipv6.SOURCE : Ipv6.DESTINATION);
      return AddressWords.address(true, Memory.getLongBe(at), Memory.getLongBe(at + 8));
    }
    int word = Memory.getIntBe(l3 + (source ? Ipv4.SOURCE : Ipv4.DESTINATION));
    return AddressWords.address(false, 0, word & 0xFFFFFFFFL);
  }

  /** The same line from what explain said. */
  static String line(Explanation e, String flow) {
    return switch (e.verdict()) {
      case "drop", "reject" -> e.verdict() + " " + e.reason();
      case "forward" -> "forward " + e.source() + " > " + e.endpoint();
      case "local" -> e.source() == null ? "local" : "local " + e.source() + " > " + dst(flow);
      default -> e.verdict() + " " + e.source() + " > " + dst(flow);
    };
  }

  private static String dst(String flow) {
    return Addresses.text(FlowQuery.parse(flow).dst());
  }

  @Override
  public void close() {
    node.close();
    fragments.close();
    frames.close();
    flows.close();
    packet.close();
  }
}
