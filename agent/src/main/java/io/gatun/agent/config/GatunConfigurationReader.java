package io.gatun.agent.config;

import io.gatun.agent.RunDirectory;
import io.gatun.agent.config.GatunConfiguration.Driver;
import io.gatun.agent.config.GatunConfiguration.Flows;
import io.gatun.agent.config.GatunConfiguration.Idle;
import io.gatun.agent.config.GatunConfiguration.Interface;
import io.gatun.agent.config.GatunConfiguration.Kernel;
import io.gatun.agent.config.GatunConfiguration.Masquerade;
import io.gatun.agent.config.GatunConfiguration.Mode;
import io.gatun.agent.config.GatunConfiguration.OnFailure;
import io.gatun.agent.config.GatunConfiguration.Peer;
import io.gatun.agent.config.GatunConfiguration.PortRange;
import io.gatun.agent.config.GatunConfiguration.Profile;
import io.gatun.agent.config.GatunConfiguration.ReversePath;
import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.agent.config.GatunConfiguration.Vxlan;
import io.gatun.agent.config.GatunConfiguration.Workers;
import io.gatun.control.document.Addresses;
import io.gatun.control.document.Field;
import io.gatun.control.document.FieldException;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.document.StrictMapping;
import io.gatun.control.document.Texts;
import io.gatun.control.kernel.StaticNeighbour;
import io.gatun.control.kernel.StaticRoute;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a GatunConfiguration, field by field in the order of its documentation. */
final class GatunConfigurationReader {
  /** Longest name of a kernel interface: IFNAMSIZ − 1, linux/if.h. */
  private static final int INTERFACE_NAME = 15;

  /** 24 bits, RFC 7348. */
  private static final int MAX_VNI = (1 << 24) - 1;

  private GatunConfigurationReader() {}

  static GatunConfiguration read(Field document) {
    StrictMapping root = new StrictMapping(document);
    root.at("apiVersion");
    root.at("kind");
    Field node = root.at("node");
    String serviceProxyName = root.at("serviceProxyName").text("");
    List<InetAddress> nodeAddresses = root.at("nodeAddresses").items(Field::address);
    List<Prefix> serviceCidrs = root.at("serviceCIDRs").items(Field::prefix);
    List<Interface> interfaces = interfaces(root.at("interfaces"));
    Workers workers = workers(root.at("workers"));
    Kernel kernel = kernel(root.at("kernel"));
    List<StaticRoute> routes = root.at("routes").items(GatunConfigurationReader::route);
    List<StaticNeighbour> neighbours =
        root.at("neighbours").items(GatunConfigurationReader::neighbour);
    StrictMapping overlay = new StrictMapping(root.at("overlay"));
    Field vxlan = overlay.at("vxlan");
    boolean clampMss = overlay.at("clampMss").flag(false);
    overlay.end();
    Flows flows = flows(root.at("conntrack"));
    Field podNetworks = root.at("podNetworks");
    StrictMapping egress = new StrictMapping(root.at("egress"));
    Masquerade masquerade = masquerade(egress.at("masquerade"));
    egress.end();
    PortRange snatPorts = ports(root.at("snatPorts"));
    OnFailure onFailure = onFailure(root.at("onFailure"));
    KubeProxyConfiguration proxy = KubeProxyConfigurationReader.read(root.at("proxy"), false);
    root.end();
    return new GatunConfiguration(
        node.present() ? notEmpty(node, "a name") : nodeName(proxy),
        serviceProxyName,
        nodeAddresses(nodeAddresses, proxy),
        serviceCidrs,
        interfaces,
        workers,
        kernel,
        routes,
        neighbours,
        vxlan.present() ? vxlan(vxlan) : null,
        clampMss,
        flows,
        podNetworks.present() ? podNetworks.items(Field::prefix) : proxy.clusterCidrs(),
        masquerade,
        snatPorts,
        onFailure,
        proxy);
  }

  /** Defaults for everything that kube-proxy's file cannot say. */
  static GatunConfiguration around(KubeProxyConfiguration proxy) {
    GatunConfiguration d = Configuration.defaults();
    return new GatunConfiguration(
        nodeName(proxy),
        d.serviceProxyName(),
        nodeAddresses(d.nodeAddresses(), proxy),
        d.serviceCidrs(),
        d.interfaces(),
        d.workers(),
        d.kernel(),
        d.routes(),
        d.neighbours(),
        d.vxlan(),
        d.clampMss(),
        flows(d.conntrack(), proxy.conntrack()),
        proxy.clusterCidrs(),
        d.egressMasquerade(),
        d.snatPorts(),
        d.onFailure(),
        proxy);
  }

  private static List<InetAddress> nodeAddresses(
      List<InetAddress> named, KubeProxyConfiguration proxy) {
    InetAddress bind = proxy.bindAddress();
    return named.isEmpty() && bind != null ? List.of(bind) : named;
  }

  /** Room for as many flows as kube-proxy would have asked the kernel for, if that is more. */
  private static Flows flows(Flows ours, KubeProxyConfiguration.Timeouts asked) {
    long perCore = (long) asked.maxPerCore() * Runtime.getRuntime().availableProcessors();
    long most = Math.clamp(Math.max(perCore, asked.min()), ours.maxFlows(), 1 << 29);
    return new Flows((int) most, ours.stateDir());
  }

  /** As kube-proxy finds it: the override, else the host name, in lower case. */
  private static String nodeName(KubeProxyConfiguration proxy) {
    String override = proxy.hostnameOverride();
    if (override != null) {
      return override;
    }
    String pods = System.getenv("GATUN_NODE_NAME"); // a DaemonSet says what the Node is called
    return pods != null && !pods.isEmpty()
        ? pods
        : Texts.read(Path.of("/proc/sys/kernel/hostname")).strip().toLowerCase(Locale.ROOT);
  }

  private static String notEmpty(Field field, String expected) {
    if (field.text().isBlank()) {
      throw field.expected(expected);
    }
    return field.text();
  }

  private static List<Interface> interfaces(Field list) {
    List<Interface> interfaces = list.items(GatunConfigurationReader::oneInterface);
    Set<String> names = new HashSet<>();
    for (int i = 0; i < interfaces.size(); i++) {
      if (!names.add(interfaces.get(i).name())) {
        throw list.items().get(i).at("name").expected("a name that no other entry has");
      }
    }
    return interfaces;
  }

  private static Interface oneInterface(Field field) {
    StrictMapping entry = new StrictMapping(field);
    Field named = entry.at("name");
    Field roled = entry.at("role");
    Field driven = entry.at("driver");
    Field reversed = entry.at("reversePath");
    Field moded = entry.at("mode");
    Field queues = entry.at("queues");
    Field devargs = entry.at("devargs");
    Field read = entry.at("read");
    Field write = entry.at("write");
    entry.end(); // first: `rolle` is what is wrong, not that `role` is missing
    String name = interfaceName(named);
    Role role = choice(roled, Role.class, null);
    Driver driver = choice(driven, Driver.class, Driver.AUTO);
    ReversePath reversePath = choice(reversed, ReversePath.class, ReversePath.AUTO);
    if (reversed.present() && role != Role.POD) {
      throw reversed.expected("nothing, because the role is " + lower(role));
    }
    Driver attached = driver == Driver.AUTO ? Driver.XDP : driver;
    Mode mode = choice(only(moded, attached, Driver.XDP), Mode.class, Mode.AUTO);
    int count =
        queues.present() && !queues.says("auto")
            ? (int) orElse(queues, 1, 1024, "auto or an integer from 1 to 1024")
            : 0;
    only(devargs, driver, Driver.DPDK);
    only(read, driver, Driver.PCAP);
    only(write, driver, Driver.PCAP);
    if (driver == Driver.DPDK && !devargs.present()) {
      throw devargs.expected("DPDK's device arguments, because the driver is dpdk");
    }
    if (driver == Driver.PCAP && !read.present() && !write.present()) {
      throw read.expected("a file (or write), because the driver is pcap");
    }
    return new Interface(
        name,
        role,
        driver,
        reversePath,
        mode,
        count,
        devargs.present() ? devargs.text() : null,
        read.present() ? Path.of(notEmpty(read, "a file")) : null,
        write.present() ? Path.of(notEmpty(write, "a file")) : null);
  }

  /** A field that has a meaning for one driver alone. */
  private static Field only(Field field, Driver driver, Driver its) {
    if (field.present() && driver != its) {
      throw field.expected("nothing, because the driver is " + lower(driver));
    }
    return field;
  }

  private static String interfaceName(Field field) {
    return field.parsed(
        "an interface's name, at most " + INTERFACE_NAME + " characters without / and blanks",
        text ->
            text.matches("[^\\s/]{1," + INTERFACE_NAME + "}") && !text.matches("\\.{1,2}")
                ? text
                : null);
  }

  private static Workers workers(Field field) {
    StrictMapping workers = new StrictMapping(field);
    int count = (int) workers.at("count").integer(1, 256, 1);
    Field cpus = workers.at("cpus");
    List<Integer> numbers = cpus.items(cpu -> (int) cpu.integer(0, 4095));
    Idle idle = choice(workers.at("idle"), Idle.class, Idle.ADAPTIVE);
    boolean coalesce = workers.at("coalesce").flag(true);
    workers.end();
    if (!numbers.isEmpty() && numbers.size() != count) {
      throw new FieldException(
          cpus.path(), numbers.size() + " CPUs", "one for each of " + count + " workers");
    }
    if (new HashSet<>(numbers).size() != numbers.size()) {
      throw new FieldException(cpus.path(), numbers.toString(), "each CPU once");
    }
    return new Workers(count, numbers, idle, coalesce);
  }

  private static Kernel kernel(Field field) {
    StrictMapping kernel = new StrictMapping(field);
    boolean mirror = kernel.at("mirror").flag(true);
    Field host = kernel.at("hostInterface");
    kernel.end();
    return new Kernel(mirror, host.present() ? interfaceName(host) : "gatun0");
  }

  private static StaticRoute route(Field field) {
    StrictMapping route = new StrictMapping(field);
    Field target = route.at("to");
    Field via = route.at("via");
    Field dev = route.at("dev");
    route.end();
    Prefix to = target.prefix();
    if (!via.present() && !dev.present()) {
      throw via.expected("an IP address (or dev: an interface)");
    }
    InetAddress gateway = via.present() ? via.address() : null;
    if (gateway != null && Addresses.isIpv6(gateway) != Addresses.isIpv6(to.address())) {
      throw via.expected("an address of the same family as " + to);
    }
    return new StaticRoute(to, gateway, dev.present() ? interfaceName(dev) : null);
  }

  private static StaticNeighbour neighbour(Field field) {
    StrictMapping neighbour = new StrictMapping(field);
    Field ip = neighbour.at("ip");
    Field mac = neighbour.at("mac");
    Field dev = neighbour.at("dev");
    neighbour.end();
    return new StaticNeighbour(ip.address(), mac(mac), interfaceName(dev));
  }

  private static MacAddress mac(Field field) {
    return field.parsed("a MAC address like \"02:00:00:00:00:09\" (in quotes)", MacAddress::parse);
  }

  private static Vxlan vxlan(Field field) {
    StrictMapping vxlan = new StrictMapping(field);
    Profile profile = choice(vxlan.at("profile"), Profile.class, Profile.FLANNEL);
    boolean calico = profile == Profile.CALICO;
    int vni = (int) vxlan.at("vni").integer(0, MAX_VNI, calico ? 4096 : 1);
    Field port = vxlan.at("port");
    Field local = vxlan.at("local");
    Field mac = vxlan.at("mac");
    List<Peer> peers = vxlan.at("peers").items(GatunConfigurationReader::peer);
    vxlan.end();
    return new Vxlan(
        vni,
        port.present() ? port.port() : calico || profile == Profile.PLAIN ? 4789 : 8472,
        local.present() ? local.address() : null,
        mac.present() && !mac.says("auto") ? mac(mac) : null,
        profile,
        peers);
  }

  private static Peer peer(Field field) {
    StrictMapping peer = new StrictMapping(field);
    Field cidr = peer.at("cidr");
    Field vtep = peer.at("vtep");
    Field mac = peer.at("mac");
    peer.end();
    return new Peer(cidr.prefix(), vtep.address(), mac(mac));
  }

  private static Flows flows(Field field) {
    StrictMapping flows = new StrictMapping(field);
    int most = (int) flows.at("maxFlows").integer(1024, 1 << 30, 1_000_000);
    Field folder = flows.at("stateDir");
    flows.end();
    return new Flows(
        most,
        folder.present() ? Path.of(notEmpty(folder, "a folder")) : RunDirectory.current().state());
  }

  private static Masquerade masquerade(Field field) {
    return switch (field.present() ? field.word("true", "false", "auto") : "auto") {
      case "true" -> Masquerade.TRUE;
      case "false" -> Masquerade.FALSE;
      default -> Masquerade.AUTO;
    };
  }

  private static PortRange ports(Field field) {
    return field.present()
        ? field.parsed("a range of ports like 61000-65535", GatunConfigurationReader::range)
        : new PortRange(61_000, 65_535);
  }

  private static @Nullable PortRange range(String text) {
    if (!text.matches("[0-9]{1,5}-[0-9]{1,5}")) {
      return null;
    }
    int dash = text.indexOf('-');
    int first = Integer.parseInt(text.substring(0, dash));
    int last = Integer.parseInt(text.substring(dash + 1));
    return first >= 1 && first <= last && last <= 65_535 ? new PortRange(first, last) : null;
  }

  private static OnFailure onFailure(Field field) {
    StrictMapping failure = new StrictMapping(field);
    Duration hold = failure.at("hold").duration(Duration.ofSeconds(5));
    Duration handover = failure.at("handover").duration(Duration.ofSeconds(10));
    failure.end();
    return new OnFailure(hold, handover);
  }

  private static long orElse(Field field, long least, long most, String expected) {
    try {
      return field.integer(least, most);
    } catch (FieldException e) {
      throw field.expected(expected);
    }
  }

  /** An enum's constant by its name in lower case with dashes. */
  private static <E extends Enum<E>> E choice(Field field, Class<E> type, @Nullable E fallback) {
    if (!field.present() && fallback != null) {
      return fallback;
    }
    E[] constants = type.getEnumConstants();
    String[] words =
        Arrays.stream(constants).map(GatunConfigurationReader::lower).toArray(String[]::new);
    return constants[List.of(words).indexOf(field.oneOf(words))];
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
