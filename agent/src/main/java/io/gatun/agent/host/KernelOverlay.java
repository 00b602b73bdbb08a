package io.gatun.agent.host;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.overlay.OverlayDevice;
import io.gatun.control.overlay.RemoteNode;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * VXLAN devices of ours in the kernel, with the neighbours, forwarding entries and routes that
 * flanneld would have made. Gatun reads them back like anybody's; when it is dead, the kernel goes
 * on with them. {@link #set} is for one thread.
 *
 * <p>The device is a {@link Setting}; what is in it goes with it, and is compared with what is
 * wanted each time, so a successor mends what changed while nobody looked.
 */
public final class KernelOverlay implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KernelOverlay.class);
  private static final long PATIENCE_SECONDS = 5;

  /**
   * A device as it should be.
   *
   * @param underlay name of the link that has its local address
   * @param mtu of inner packets
   * @param addresses of the node in the overlay
   */
  public record Device(
      OverlayDevice overlay, String underlay, int mtu, List<InetAddress> addresses) {
    public Device {
      addresses = List.copyOf(addresses);
    }

    String name() {
      return overlay.name();
    }

    Setting link() {
      boolean six = Addresses.isIpv6(overlay.local());
      return new Setting(
          false,
          "link add %s address %s type vxlan id %d dev %s local %s dstport %d nolearning%s"
              .formatted(
                  name(),
                  overlay.mac(),
                  overlay.vni(),
                  underlay,
                  Addresses.text(overlay.local()),
                  overlay.port(),
                  six ? "" : " noudpcsum"),
          undo(name()));
    }
  }

  /** What leads to remote nodes by one device. */
  record Contents(
      Map<MacAddress, InetAddress> places,
      Map<InetAddress, MacAddress> neighbours,
      Set<Prefix> routes) {
    Contents() {
      this(new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashSet<>());
    }
  }

  private final KernelSettings settings;
  private final ExecutorService ip =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("overlay devices").daemon(true).factory());
  private final AtomicReference<@Nullable List<Device>> wish = new AtomicReference<>();
  private List<Setting> links = List.of();

  /** Changes nothing before the first {@link #set}. */
  public KernelOverlay(KernelSettings settings) {
    this.settings = settings;
  }

  private static String undo(String name) {
    return "link del " + name;
  }

  /** Whether this link is one of ours, or of a predecessor's. */
  public boolean isOurs(String name) {
    return settings.undoes(undo(name));
  }

  /**
   * The devices are {@code wanted} from now on: those that are new are there, full, on return;
   * changes of what is in one follow soon. False, and none is left, when the kernel refuses one.
   */
  public boolean set(List<Device> wanted) {
    List<Setting> now = wanted.stream().map(Device::link).toList();
    if (now.equals(links)) {
      if (wish.getAndSet(wanted) == null) {
        ip.execute(this::follow);
      }
      return true;
    }
    links = now;
    List<String> complaints = settings.want(now);
    if (!complaints.isEmpty()) {
      complaints.forEach(complaint -> LOG.warn("overlay: {}", complaint));
      settings.want(List.of());
      links = List.of();
      return false;
    }
    wish.set(null);
    try {
      ip.submit(() -> wanted.forEach(KernelOverlay::fill)).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      LOG.warn("overlay: the kernel's device is not full within {} s", PATIENCE_SECONDS);
    } catch (ExecutionException e) {
      LOG.error("overlay: the kernel's device is not up to date", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return true;
  }

  private void follow() {
    List<Device> wanted = wish.getAndSet(null);
    if (wanted != null) {
      try {
        wanted.forEach(KernelOverlay::fill);
      } catch (RuntimeException e) {
        LOG.error("overlay: the kernel's device is not up to date", e);
      }
    }
  }

  private static void fill(Device device) {
    Contents old = read(device.name());
    List<String> complaints = new ArrayList<>();
    Contents wanted = wanted(device.overlay().nodes());
    String dev = " dev " + device.name();
    List<String> ready = new ArrayList<>();
    ready.add("link set %s mtu %d up".formatted(device.name(), device.mtu()));
    complaints.addAll(Ip.batch(false, ready));
    // The way's end first, then what leads there.
    complaints.addAll(Ip.bridge(places(wanted, old, dev)));
    for (boolean six : new boolean[] {false, true}) {
      complaints.addAll(Ip.batch(six, lines(device, wanted, old, six)));
    }
    complaints.addAll(
        Ip.bridge(
            old.places.entrySet().stream()
                .filter(place -> !wanted.places.containsKey(place.getKey()))
                .map(place ->
                    "fdb del %s%s dst %s self"
                        .formatted(place.getKey(), dev, Addresses.text(place.getValue())))
                .toList()));
    complaints.forEach(complaint -> LOG.warn("overlay: {}", complaint));
  }

  private static List<String> places(Contents wanted, Contents old, String dev) {
    return wanted.places.entrySet().stream()
        .filter(place -> !place.getValue().equals(old.places.get(place.getKey())))
        .map(place ->
            "fdb replace %s%s dst %s self permanent"
                .formatted(place.getKey(), dev, Addresses.text(place.getValue())))
        .toList();
  }

  /** What {@code ip} has to do in one family, in order. */
  static List<String> lines(Device device, Contents wanted, Contents old, boolean six) {
    String dev = " dev " + device.name();
    List<String> lines = new ArrayList<>();
    for (InetAddress address : device.addresses()) {
      if (Addresses.isIpv6(address) == six) {
        lines.add("address replace " + Prefix.of(address) + dev);
      }
    }
    wanted.neighbours.forEach((address, mac) -> {
      if (Addresses.isIpv6(address) == six && !mac.equals(old.neighbours.get(address))) {
        lines.add(
            "neigh replace %s lladdr %s%s nud permanent"
                .formatted(Addresses.text(address), mac, dev));
      }
    });
    for (Prefix pods : wanted.routes) {
      if (isOf(pods, six) && !old.routes.contains(pods)) {
        // Not "replace": a route that somebody made by another device stays theirs.
        lines.add(
            "route add %s via %s%s onlink".formatted(pods, Addresses.text(pods.address()), dev));
      }
    }
    for (Prefix pods : old.routes) {
      if (isOf(pods, six) && !wanted.routes.contains(pods)) {
        lines.add("route del " + pods + dev);
      }
    }
    for (InetAddress address : old.neighbours.keySet()) {
      if (Addresses.isIpv6(address) == six && !wanted.neighbours.containsKey(address)) {
        lines.add("neigh del " + Addresses.text(address) + dev);
      }
    }
    return lines;
  }

  private static boolean isOf(Prefix prefix, boolean six) {
    return Addresses.isIpv6(prefix.address()) == six;
  }

  static Contents wanted(List<RemoteNode> nodes) {
    Contents wanted = new Contents();
    for (RemoteNode node : nodes) {
      wanted.places.putIfAbsent(node.mac(), node.address());
      for (Prefix pods : node.pods()) {
        if (wanted.routes.add(pods)) {
          wanted.neighbours.putIfAbsent(pods.address(), node.mac());
        }
      }
    }
    return wanted;
  }

  /** What the device has now, but for what the kernel put there itself. */
  private static Contents read(String name) {
    Contents contents = new Contents();
    for (JsonNode entry : Ip.json("bridge", "-j", "fdb", "show", "dev", name)) {
      MacAddress mac = MacAddress.parse(entry.path("mac").asText());
      InetAddress place = Addresses.parse(entry.path("dst").asText());
      if (mac != null && place != null) {
        contents.places.put(mac, place);
      }
    }
    for (String family : List.of("-4", "-6")) {
      for (JsonNode entry :
          Ip.json("ip", family, "-j", "neigh", "show", "dev", name, "nud", "permanent")) {
        InetAddress address = Addresses.parse(entry.path("dst").asText());
        MacAddress mac = MacAddress.parse(entry.path("lladdr").asText());
        if (address != null && mac != null) {
          contents.neighbours.put(address, mac);
        }
      }
      for (JsonNode entry :
          Ip.json("ip", family, "-j", "route", "show", "dev", name, "proto", "boot")) {
        Prefix pods = prefix(entry.path("dst").asText());
        if (pods != null) {
          contents.routes.add(pods);
        }
      }
    }
    return contents;
  }

  private static @Nullable Prefix prefix(String text) {
    if (text.indexOf('/') >= 0) {
      return Prefix.parse(text);
    }
    InetAddress address = Addresses.parse(text);
    return address == null ? null : Prefix.of(address);
  }

  /** Undoes everything. */
  public void undo() {
    close();
    settings.undo();
  }

  /** Ends the thread after what it is doing; what is set stays. */
  @Override
  public void close() {
    ip.shutdown();
    try {
      ip.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
