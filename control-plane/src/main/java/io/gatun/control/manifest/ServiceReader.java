package io.gatun.control.manifest;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.Field;
import io.gatun.control.document.FieldException;
import io.gatun.control.document.Prefix;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.Protocol;
import io.gatun.control.model.Service;
import io.gatun.control.model.ServicePort;
import io.gatun.control.model.TrafficPolicy;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads Services: core/v1, {@code ServiceSpec} and {@code ServiceStatus}. */
final class ServiceReader {
  private static final String HEADLESS = "service.kubernetes.io/headless";
  private static final String PROXY_NAME = "service.kubernetes.io/service-proxy-name";

  /** {@code sessionAffinityConfig.clientIP.timeoutSeconds}: default, and at most a day. */
  private static final int AFFINITY_SECONDS = 10_800;

  private static final int AFFINITY_MOST = 86_400;

  private ServiceReader() {}

  static Service read(ObjectName name, Field object) {
    Field labels = object.at("metadata").at("labels");
    Field annotations = object.at("metadata").at("annotations");
    Field spec = object.at("spec");
    if (!spec.present()) {
      throw spec.expected("a mapping");
    }
    Service.Type type = type(spec.at("type"));
    List<InetAddress> clusterIPs = clusterIPs(spec);
    List<ServicePort> ports = ports(spec.at("ports"));
    if (ports.isEmpty() && !clusterIPs.isEmpty() && type != Service.Type.EXTERNAL_NAME) {
      throw spec.at("ports").expected("at least one port");
    }
    return new Service(
        name,
        type,
        clusterIPs,
        spec.at("externalIPs").items(Field::address),
        ingress(object.at("status").at("loadBalancer").at("ingress")),
        spec.at("loadBalancerSourceRanges").items(ServiceReader::range),
        ports,
        policy(spec.at("internalTrafficPolicy")),
        policy(spec.at("externalTrafficPolicy")),
        affinity(spec),
        ServiceAnnotations.affinityPrefixLength(annotations),
        ServiceAnnotations.algorithm(annotations),
        ServiceAnnotations.weights(annotations),
        (int) spec.at("healthCheckNodePort").integer(0, 65535, 0),
        labels.has(HEADLESS),
        proxyName(labels));
  }

  private static @Nullable String proxyName(Field labels) {
    return labels.has(PROXY_NAME) ? labels.at(PROXY_NAME).text("") : null;
  }

  private static Service.Type type(Field type) {
    return switch (!isUnset(type)
        ? type.oneOf("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
        : "ClusterIP") {
      case "NodePort" -> Service.Type.NODE_PORT;
      case "LoadBalancer" -> Service.Type.LOAD_BALANCER;
      case "ExternalName" -> Service.Type.EXTERNAL_NAME;
      default -> Service.Type.CLUSTER_IP;
    };
  }

  /** {@code clusterIPs}, or {@code clusterIP} where an older object has that alone. */
  private static List<InetAddress> clusterIPs(Field spec) {
    Field single = spec.at("clusterIP");
    List<Field> all = new ArrayList<>(spec.at("clusterIPs").items());
    String first = single.text("");
    if (all.isEmpty() && single.present()) {
      all.add(single);
    }
    List<InetAddress> addresses = new ArrayList<>();
    for (Field field : all) {
      String text = field.text();
      if (text.isEmpty() || text.equals("None")) {
        continue;
      }
      InetAddress address = field.parsed("an IP address or None", Addresses::parse);
      for (InetAddress other : addresses) {
        if (Addresses.isIpv6(other) == Addresses.isIpv6(address)) {
          throw field.expected("one address of each family at most");
        }
      }
      addresses.add(address);
    }
    if (!first.isEmpty() && !first.equals("None")) {
      InetAddress address = single.parsed("an IP address or None", Addresses::parse);
      if (addresses.isEmpty() || !addresses.getFirst().equals(address)) {
        throw single.expected("the same address as spec.clusterIPs[0]");
      }
    }
    return List.copyOf(addresses);
  }

  private static List<ServicePort> ports(Field list) {
    List<ServicePort> ports = new ArrayList<>();
    Set<String> names = new HashSet<>();
    Set<List<Integer>> numbers = new HashSet<>();
    for (Field field : list.items()) {
      String name = SharedWords.of(field.at("name").text(""));
      int protocol = protocol(field.at("protocol"));
      int port = field.at("port").port();
      int nodePort = (int) field.at("nodePort").integer(0, 65535, 0);
      if (name.isEmpty() && list.items().size() > 1) {
        throw field.at("name").expected("a name, because there are several ports");
      }
      if (!names.add(name)) {
        throw field.at("name").expected("a name that no other port has");
      }
      if (!numbers.add(List.of(protocol, port))) {
        throw field.at("port").expected("a port that no other entry has for this protocol");
      }
      ports.add(new ServicePort(name, protocol, port, nodePort));
    }
    return List.copyOf(ports);
  }

  static int protocol(Field field) {
    return field.present() ? field.parsed("one of TCP, UDP, SCTP", Protocol::parse) : Protocol.TCP;
  }

  private static TrafficPolicy policy(Field field) {
    return !isUnset(field) && field.oneOf("Cluster", "Local").equals("Local")
        ? TrafficPolicy.LOCAL
        : TrafficPolicy.CLUSTER;
  }

  /** An empty string is what old API servers print for "not set". */
  private static boolean isUnset(Field field) {
    return !field.present() || field.says("");
  }

  private static int affinity(Field spec) {
    Field affinity = spec.at("sessionAffinity");
    if (isUnset(affinity) || affinity.oneOf("None", "ClientIP").equals("None")) {
      return 0;
    }
    return (int)
        spec.at("sessionAffinityConfig")
            .at("clientIP")
            .at("timeoutSeconds")
            .integer(1, AFFINITY_MOST, AFFINITY_SECONDS);
  }

  /** Addresses that this node serves: not host names, not those that a proxy of its own serves. */
  private static List<InetAddress> ingress(Field list) {
    List<InetAddress> addresses = new ArrayList<>();
    for (Field field : list.items()) {
      Field mode = field.at("ipMode");
      boolean vip = isUnset(mode) || mode.oneOf("VIP", "Proxy").equals("VIP");
      if (field.at("ip").present() && !field.at("ip").text().isEmpty() && vip) {
        addresses.add(field.at("ip").address());
      }
    }
    return List.copyOf(addresses);
  }

  private static Prefix range(Field field) {
    Prefix prefix = Prefix.parse(field.text().strip());
    if (prefix == null) {
      throw new FieldException(field.path(), "\"" + field.text() + "\"", "a CIDR");
    }
    return prefix;
  }
}
