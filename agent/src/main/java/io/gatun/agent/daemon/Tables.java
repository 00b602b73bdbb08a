package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration;
import io.gatun.ffm.NativeException;
import io.gatun.fib.Fib;
import io.gatun.fib.lpm.Retirement;
import io.gatun.flow.FlowFile;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FragmentTable;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.DataPath;
import io.gatun.service.ServiceTable;
import io.gatun.service.SourceAddresses;
import io.gatun.service.SourceRoutes;
import io.gatun.tunnel.TunnelTable;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What all workers look things up in. Written by the control thread only, but for the flows, which
 * workers write themselves.
 */
final class Tables {
  /** A pod each, and the ways out: as many as a leaf of the routes can name. */
  private static final int ADJACENCIES = 32_767;

  /** Remote nodes: more than a cluster may have. 2 MB. */
  static final int TUNNELS = 8192;

  private static final System.Logger LOG = System.getLogger("gatun");

  private final Qsbr qsbr;
  private final Fib fib;
  private final TunnelTable tunnels;
  private final @Nullable FlowFile flowFile;
  private final FlowTable flows;
  private final FragmentTable fragments = new FragmentTable();
  private final ServiceTable services;
  private final SourceAddresses sources = new SourceAddresses();
  private final SourceRoutes sourceRoutes;
  private final FlowKeeper keeper;

  /**
   * All of them empty, but for the flows of an earlier process, which wait for {@link
   * #inheritFlows}.
   *
   * @param succeeds a living predecessor has the flows until it lets go of them
   */
  Tables(GatunConfiguration configuration, boolean succeeds) {
    qsbr = new Qsbr(configuration.workers().count());
    // The FIB's own retirement hands over what frees it; QSBR runs it when no worker can look.
    Retirement retirement = release -> qsbr.retire(0, record -> release.run());
    fib = new Fib(ADJACENCIES, retirement);
    tunnels = new TunnelTable(TUNNELS, retirement);
    int maxFlows = configuration.conntrack().maxFlows();
    flowFile = flowFile(configuration.conntrack().stateDir(), maxFlows, succeeds);
    flows =
        new FlowTable(FlowTable.FIRST, maxFlows, Settings.timeouts(configuration), qsbr, flowFile);
    services = new ServiceTable(flows, qsbr, flowFile == null ? 0 : flowFile.annex());
    sourceRoutes = new SourceRoutes(retirement::retire);
    sources.routes(sourceRoutes);
    sources.ports(configuration.snatPorts().first(), configuration.snatPorts().last());
    Settings.ephemeralPorts().ifPresent(range -> sources.ephemeral(range.first(), range.last()));
    keeper = new FlowKeeper(flows, services, sources);
  }

  /** Null when there can be none: without it traffic flows, but a restart finds no connections. */
  private static @Nullable FlowFile flowFile(Path directory, int maxFlows, boolean succeeds) {
    try {
      return succeeds
          ? FlowFile.follow(directory, maxFlows, ServiceTable.ANNEX)
          : FlowFile.open(directory, maxFlows, FlowTable.FIRST, ServiceTable.ANNEX);
    } catch (IOException | NativeException e) {
      LOG.log(Level.WARNING, "flows will not survive a restart: {0}", e.getMessage());
      return null;
    }
  }

  /**
   * Takes over the flows that an earlier process left; the tables say which Services are theirs.
   */
  void inheritFlows() {
    flows.inherit();
    services.adoptFlows();
  }

  /** After the end of a living predecessor: nobody else may open the flows. */
  void lockFlows() throws IOException {
    if (flowFile != null) {
      flowFile.lock();
    }
  }

  /** No successor is to find the flows. */
  void forgetFlows() {
    if (flowFile != null) {
      flowFile.remove();
    }
  }

  /** As the stages take them. */
  DataPath.Tables forStages() {
    return new DataPath.Tables(fib, flows, fragments, services, sources);
  }

  Qsbr qsbr() {
    return qsbr;
  }

  Fib fib() {
    return fib;
  }

  /** The overlay's tunnels. */
  TunnelTable tunnels() {
    return tunnels;
  }

  FlowTable flows() {
    return flows;
  }

  /** How near flows and source ports are to their ends. */
  FlowKeeper flowKeeper() {
    return keeper;
  }

  ServiceTable services() {
    return services;
  }

  /** Where masqueraded flows come from. */
  SourceAddresses sources() {
    return sources;
  }

  /** Which of the node's addresses flows come from, by where they go. */
  SourceRoutes sourceRoutes() {
    return sourceRoutes;
  }
}
