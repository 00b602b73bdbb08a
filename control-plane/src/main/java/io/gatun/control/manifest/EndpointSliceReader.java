package io.gatun.control.manifest;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.Field;
import io.gatun.control.model.EndpointSlice;
import io.gatun.control.model.EndpointState;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.SlicePort;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads EndpointSlices: discovery.k8s.io/v1. */
final class EndpointSliceReader {
  private EndpointSliceReader() {}

  static EndpointSlice read(ObjectName name, Field object) {
    Field service = object.at("metadata").at("labels").at(EndpointSlice.SERVICE_LABEL);
    String type = object.at("addressType").oneOf("IPv4", "IPv6", "FQDN");
    boolean ipv6 = type.equals("IPv6");
    List<EndpointState> endpoints =
        type.equals("FQDN")
            ? List.of()
            : object.at("endpoints").items(endpoint -> endpoint(endpoint, ipv6));
    return new EndpointSlice(
        name,
        service.present() ? new ObjectName(name.namespace(), service.text()) : null,
        ipv6,
        ports(object.at("ports")),
        endpoints);
  }

  private static List<SlicePort> ports(Field list) {
    List<SlicePort> ports = new ArrayList<>();
    for (Field field : list.items()) {
      int port = (int) field.at("port").integer(0, 65535, 0);
      int protocol = ServiceReader.protocol(field.at("protocol"));
      String name = SharedWords.of(field.at("name").text(""));
      if (port != 0) {
        ports.add(new SlicePort(name, protocol, port));
      }
    }
    return List.copyOf(ports);
  }

  private static EndpointState endpoint(Field field, boolean ipv6) {
    List<Field> addresses = field.at("addresses").items();
    if (addresses.isEmpty()) {
      throw field.at("addresses").expected("at least one address");
    }
    InetAddress address =
        addresses
            .getFirst()
            .parsed(
                ipv6 ? "an IPv6 address" : "an IPv4 address",
                text -> {
                  InetAddress parsed = Addresses.parse(text);
                  return parsed != null && Addresses.isIpv6(parsed) == ipv6 ? parsed : null;
                });
    Field conditions = field.at("conditions");
    Field hints = field.at("hints");
    boolean ready = conditions.at("ready").flag(true);
    return new EndpointState(
        address,
        ready,
        conditions.at("serving").flag(true),
        conditions.at("terminating").flag(false),
        nodeName(field.at("nodeName")),
        hints.at("forNodes").items(hint -> SharedWords.of(hint.at("name").text())),
        hints.at("forZones").items(hint -> SharedWords.of(hint.at("name").text())));
  }

  private static @Nullable String nodeName(Field field) {
    return field.present() ? SharedWords.of(field.text()) : null;
  }
}
