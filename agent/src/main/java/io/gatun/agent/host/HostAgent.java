package io.gatun.agent.host;

import io.gatun.service.FrontSpec;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.agrona.concurrent.Agent;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the kernel's rules and routes for the pair as they should be now. Stepped by the control
 * thread; {@code ip} runs on a thread of its own, the latest wish first, so that it delays nobody.
 */
public final class HostAgent implements Agent {
  private static final Logger LOG = LoggerFactory.getLogger(HostAgent.class);
  private static final long PATIENCE_SECONDS = 5;

  private final HostRoutes routes;
  private final KernelSettings settings;
  private final Supplier<Collection<FrontSpec>> fronts;
  private final Supplier<HostView> node;
  private final ExecutorService ip =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("host routes").daemon(true).factory());
  private final AtomicReference<@Nullable List<Setting>> wish = new AtomicReference<>();
  private final CountDownLatch first = new CountDownLatch(1);
  private Collection<FrontSpec> seenFronts = Set.of();
  private @Nullable HostView seenNode;
  private List<Setting> wished = List.of();
  private List<InetAddress> missing = List.of();

  /**
   * Does nothing before the first {@link #doWork}.
   *
   * @param fronts as last applied: another collection when they changed
   * @param node addresses and prefixes as last read: an equal one when they did not change
   */
  public HostAgent(
      HostPair pair,
      KernelSettings settings,
      Supplier<Collection<FrontSpec>> fronts,
      Supplier<HostView> node) {
    this.routes = new HostRoutes(pair);
    this.settings = settings;
    this.fronts = fronts;
    this.node = node;
  }

  @Override
  @SuppressWarnings("ReferenceEquality") // a change of the fronts is a new collection
  public int doWork() {
    Collection<FrontSpec> frontsNow = fronts.get();
    HostView nodeNow = node.get();
    if (frontsNow == seenFronts && nodeNow.equals(seenNode)) {
      return 0;
    }
    seenFronts = frontsNow;
    seenNode = nodeNow;
    tellOfMissing(nodeNow.missing());
    List<Setting> wanted = routes.settings(nodeNow, frontsNow);
    if (wanted.equals(wished)) {
      return 0;
    }
    wished = wanted;
    if (wish.getAndSet(wanted) == null) {
      ip.execute(this::fulfil);
    }
    return 1;
  }

  /** Once, until it changes. */
  private void tellOfMissing(List<InetAddress> now) {
    if (!now.isEmpty() && !now.equals(missing)) {
      LOG.warn(
          "host routes: no interface of this node has {}, its primary address; until one does, the"
              + " node itself reaches Services by what the kernel knows of them alone",
          now.stream().map(InetAddress::getHostAddress).collect(Collectors.joining(" and ")));
    }
    missing = now;
  }

  private void fulfil() {
    List<Setting> wanted = wish.getAndSet(null);
    if (wanted != null) {
      try {
        settings.want(wanted).forEach(complaint -> LOG.warn("host routes: {}", complaint));
      } catch (RuntimeException e) {
        LOG.error("host routes: the state before stays", e);
      }
      first.countDown();
    }
  }

  /** Waits until the first wish is fulfilled. */
  public void await() throws InterruptedException {
    if (!first.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      LOG.warn("host routes: not in place within {} s", PATIENCE_SECONDS);
    }
  }

  @Override
  public String roleName() {
    return "host routes";
  }

  /** Ends the thread after what it is doing; what is set stays. */
  @Override
  public void onClose() {
    ip.shutdown();
    try {
      ip.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
