package io.gatun.control;

import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.control.kernel.KernelTables;
import io.gatun.control.model.ClusterObjects;
import io.gatun.control.model.ObjectChanges;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.ObjectSet;
import io.gatun.control.service.ClientSettings;
import io.gatun.control.service.EndpointUse;
import io.gatun.control.service.FrontChange;
import io.gatun.control.service.FrontTable;
import io.gatun.control.service.NodeSettings;
import io.gatun.control.service.NodeView;
import io.gatun.control.service.NotableFronts;
import io.gatun.service.ClientRules;
import io.gatun.service.FrontKey;
import io.gatun.service.FrontSpec;
import io.gatun.service.ServiceTable;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.UnaryOperator;
import org.agrona.concurrent.Agent;
import org.jspecify.annotations.Nullable;

/**
 * The one writer of the data path's tables: follows the objects and the kernel, applies what
 * changed and frees what no worker looks at any more. Single-threaded; the heartbeat, {@link
 * #fronts}, {@link #serviceCidrs} and {@link #refusal} may be read by any thread.
 */
public final class ControlThread implements Agent {
  /** Who takes changed fronts: the service table. Called on the control thread. */
  @FunctionalInterface
  public interface FrontSink {
    void apply(Collection<FrontSpec> changedOrNew, Collection<FrontKey> removed);

    /** Where cluster IPs come from, in CIDR notation. */
    default void serviceCidrs(Collection<String> prefixes) {}

    /** Every address that the node has. */
    default void ownAddresses(Collection<InetAddress> addresses) {}

    /** How senders are told apart. */
    default void clients(ClientRules rules) {}

    /** The service table itself. */
    static FrontSink of(ServiceTable table) {
      return of(table, UnaryOperator.identity());
    }

    /** The service table, told apart senders by what {@code clients} makes of the rules. */
    static FrontSink of(ServiceTable table, UnaryOperator<ClientRules> clients) {
      return new FrontSink() {
        @Override
        public void apply(Collection<FrontSpec> changedOrNew, Collection<FrontKey> removed) {
          table.apply(changedOrNew, removed);
        }

        @Override
        public void serviceCidrs(Collection<String> prefixes) {
          table.serviceCidrs(prefixes);
        }

        @Override
        public void ownAddresses(Collection<InetAddress> addresses) {
          table.ownAddresses(addresses);
        }

        @Override
        public void clients(ClientRules rules) {
          table.clients(clients.apply(rules));
        }
      };
    }
  }

  /** Services whose fronts are worked out in one cycle: some ten milliseconds. */
  private static final int AT_ONCE = 1024;

  /** kube-proxy's IPVS mode binds every Service address here. */
  private static final String IPVS_DEVICE = "kube-ipvs0";

  private final @Nullable ObjectSource source;
  private final KernelMirror mirror;
  private final NodeSettings node;
  private final FrontSink sink;
  private final IntSupplier reclaim;
  private final FrontTable table = new FrontTable();
  private final NotableFronts notable = new NotableFronts();
  private final EndpointUse endpoints = new EndpointUse();
  private final List<ObjectFollower> followers = new ArrayList<>();
  private final Progress progress = new Progress();
  private final Set<ObjectName> services = new LinkedHashSet<>();
  private final Set<ObjectName> pods = new LinkedHashSet<>();
  private ClientSettings clients = ClientSettings.NONE;
  private List<ClientSettings.ClientPort> clientPorts = List.of();
  private List<Prefix> serviceCidrs = List.of();
  private volatile List<Prefix> publishedCidrs = List.of();
  private volatile ClientRules publishedClients = ClientRules.NONE;
  private @Nullable NodeView view;
  private Consumer<ClusterObjects> surroundingsListener = _ -> {};
  private boolean surroundingsTouched;
  private HeapRoom room = HeapRoom.plenty();
  private boolean waiting;
  private long beats;
  private volatile long heartbeat;
  private volatile @Nullable String refusal;

  /**
   * Does nothing before the first {@link #doWork}.
   *
   * @param source null for none
   * @param reclaim frees retired records and returns how many: {@code Qsbr::reclaim}
   */
  public ControlThread(
      @Nullable ObjectSource source,
      KernelMirror mirror,
      NodeSettings node,
      FrontSink sink,
      IntSupplier reclaim) {
    this.source = source;
    this.mirror = mirror;
    this.node = node;
    this.sink = sink;
    this.reclaim = reclaim;
    mirror.onLinks(() -> surroundingsTouched = true);
  }

  /**
   * Before the first {@link #doWork}: how clients are told apart, and where cluster IPs come from
   * (empty: the ServiceCIDR objects).
   */
  public void configure(
      ClientSettings settings, List<ClientSettings.ClientPort> ports, List<Prefix> cidrs) {
    clients = settings;
    clientPorts = List.copyOf(ports);
    serviceCidrs = List.copyOf(cidrs);
  }

  /** Before the first {@link #doWork}: whom to ask before much is worked out. */
  public void room(HeapRoom heap) {
    room = heap;
  }

  /** Pods are masqueraded towards the outside in these families now; on the control thread. */
  public void egress(ClientRules.Egress now) {
    clients = clients.with(now);
    surroundingsTouched = true;
  }

  /** All pods of the cluster, in CIDR notation, as last told. From any thread. */
  public Collection<String> podNetworks() {
    return publishedClients.podNetworks();
  }

  /** Before the first {@link #doWork}: {@code follower} is told what the tables were told. */
  public void follow(ObjectFollower follower) {
    followers.add(follower);
  }

  /** How far changes have come; may be asked by any thread. */
  public Progress progress() {
    return progress;
  }

  /** Ports came or went; on the control thread. */
  public void clientPorts(List<ClientSettings.ClientPort> ports) {
    clientPorts = List.copyOf(ports);
    surroundingsTouched = true;
  }

  /** Whether {@link #doWork} has more to do at once. */
  public boolean isBehind() {
    return mirror.isBehind() || (isUnfinished() && !waiting);
  }

  /** Whether {@link #doWork} should follow within some 20 ms. */
  public boolean isRestless() {
    return source != null && source.isSettling();
  }

  private boolean isUnfinished() {
    return !services.isEmpty() || !pods.isEmpty();
  }

  /** Before the first {@link #doWork}: told of the objects whenever nodes or links changed. */
  public void onSurroundings(Consumer<ClusterObjects> listener) {
    surroundingsListener = listener;
  }

  /** Steps until everything that is known is in the tables. */
  public void settle() {
    do {
      doWork();
      if (waiting) {
        room.await();
      }
    } while (isUnfinished());
  }

  @Override
  public int doWork() {
    heartbeat = ++beats;
    long now = System.nanoTime();
    int done = mirror.doWork(now);
    ClusterObjects objects = ObjectSet.EMPTY;
    if (source != null) {
      if (source.poll(now)) {
        ObjectChanges changes = source.changes();
        progress.queued(changes, now);
        services.addAll(changes.services());
        pods.addAll(changes.pods());
        surroundingsTouched |= changes.surroundings();
      }
      objects = source.objects();
      refusal = source.refusal();
    }
    if (view == null || surroundingsTouched) {
      surroundingsTouched = false;
      surroundings(objects);
      surroundingsListener.accept(objects);
      done++;
    }
    NodeView seen = view;
    waiting = isUnfinished() && room.isTight();
    if (seen != null && isUnfinished() && !waiting) {
      done += fronts(objects, seen);
      if (source != null && !isUnfinished()) {
        source.applied();
      }
    }
    if (!isUnfinished()) {
      progress.applied(System.nanoTime());
    }
    return done + reclaim.getAsInt();
  }

  /** What is to be looked at anew, up to a bound: the watchdog wants to see this thread move. */
  private int fronts(ClusterObjects objects, NodeView seen) {
    List<ObjectName> names = some(services);
    FrontChange change = table.update(objects, names, some(pods), seen);
    followers.forEach(follower -> follower.services(objects, names, seen));
    if (change.isEmpty()) {
      return 0;
    }
    sink.apply(change.changedOrNew(), change.removed());
    notable.apply(change);
    endpoints.apply(change);
    mirror.wanted(endpoints.addresses());
    return change.changedOrNew().size() + change.removed().size();
  }

  /** Takes the first names away from {@code from}. */
  private static List<ObjectName> some(Set<ObjectName> from) {
    List<ObjectName> some = new ArrayList<>();
    Iterator<ObjectName> names = from.iterator();
    while (names.hasNext() && some.size() < AT_ONCE) {
      some.add(names.next());
      names.remove();
    }
    return some;
  }

  /** What the kernel says the node has, without what IPVS mode left there for every Service. */
  private List<InetAddress> ownAddresses() {
    int ipvs =
        mirror.links().stream()
            .filter(link -> link.name().equals(IPVS_DEVICE))
            .mapToInt(KernelTables.Link::ifIndex)
            .findFirst()
            .orElse(-1);
    return mirror.addresses().stream()
        .filter(address -> address.ifIndex() != ipvs)
        .map(KernelTables.Address::address)
        .toList();
  }

  private List<ClientSettings.ClientPort> withBridges(List<ClientSettings.ClientPort> ports) {
    Map<Integer, String> names = new HashMap<>();
    Map<String, Integer> masters = new HashMap<>();
    for (KernelTables.Link link : mirror.links()) {
      names.put(link.ifIndex(), link.name());
      masters.put(link.name(), link.master());
    }
    return ports.stream()
        .map(port -> {
          String bridge = names.get(masters.getOrDefault(port.name(), 0));
          return bridge == null
              ? port
              : new ClientSettings.ClientPort(port.number(), port.name(), port.leads(), bridge);
        })
        .toList();
  }

  /** What the fronts are judged by, before the fronts: nobody is let in who should not be. */
  private void surroundings(ClusterObjects objects) {
    NodeView seen = node.view(objects, ownAddresses());
    if (view == null || !seen.ownAddresses().equals(view.ownAddresses())) {
      sink.ownAddresses(seen.ownAddresses());
    }
    ClientRules rules = clients.rules(objects, seen.nodeName(), withBridges(clientPorts));
    if (!rules.equals(publishedClients)) {
      publishedClients = rules;
      sink.clients(rules);
    }
    List<Prefix> cidrs =
        serviceCidrs.isEmpty()
            ? objects.serviceCidrs().stream().flatMap(cidr -> cidr.cidrs().stream()).toList()
            : serviceCidrs;
    if (!cidrs.equals(publishedCidrs)) {
      publishedCidrs = cidrs;
      sink.serviceCidrs(cidrs.stream().map(Prefix::toString).toList());
    }
    followers.forEach(follower -> follower.surroundings(objects, seen));
    notable.judgeBy(cidrs, seen.ownAddresses(), table::fronts);
    if (!seen.equals(view)) { // every front may be another one now
      services.addAll(table.claimants("Service"));
      services.addAll(objects.services().keySet());
      pods.addAll(table.claimants("Pod"));
      pods.addAll(objects.pods().keySet());
    }
    view = seen;
  }

  /** A number that changes while this thread lives. */
  public long heartbeat() {
    return heartbeat;
  }

  /** What concerns more than the service table; another collection when that changed. */
  public Collection<FrontSpec> fronts() {
    return notable.fronts();
  }

  /** Where cluster IPs come from, as last told. */
  public List<Prefix> serviceCidrs() {
    return publishedCidrs;
  }

  /** Why the manifests as they are now were refused; null when they were not. */
  public @Nullable String refusal() {
    return refusal;
  }

  @Override
  public String roleName() {
    return "control";
  }

  @Override
  public void onClose() {
    mirror.close();
  }
}
