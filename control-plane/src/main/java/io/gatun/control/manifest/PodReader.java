package io.gatun.control.manifest;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.Field;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.Pod;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads Pods: core/v1, as much of them as host ports need. */
final class PodReader {
  private PodReader() {}

  static Pod read(ObjectName name, Field object) {
    Field spec = object.at("spec");
    Field status = object.at("status");
    String phase = status.at("phase").text("");
    Field nodeName = spec.at("nodeName");
    List<Pod.HostPort> ports = new ArrayList<>();
    spec.at("containers").items().forEach(container -> hostPorts(container, ports));
    for (Field container : spec.at("initContainers").items()) {
      if (container.at("restartPolicy").says("Always")) { // a sidecar, KEP-753
        hostPorts(container, ports);
      }
    }
    return new Pod(
        name,
        nodeName.present() ? nodeName.text() : null,
        spec.at("hostNetwork").flag(false),
        phase.equals("Succeeded") || phase.equals("Failed"),
        labels(object.at("metadata").at("labels")),
        addresses(status),
        List.copyOf(ports));
  }

  private static Map<String, String> labels(Field field) {
    Map<String, String> labels = new TreeMap<>();
    field.entries().forEach((key, value) -> labels.put(key, value.text("")));
    return Map.copyOf(labels);
  }

  private static List<InetAddress> addresses(Field status) {
    List<InetAddress> addresses =
        new ArrayList<>(status.at("podIPs").items(ip -> ip.at("ip").address()));
    Field single = status.at("podIP");
    if (addresses.isEmpty() && single.present() && !single.text().isEmpty()) {
      addresses.add(single.address());
    }
    return List.copyOf(addresses);
  }

  private static void hostPorts(Field container, List<Pod.HostPort> to) {
    for (Field field : container.at("ports").items()) {
      int hostPort = (int) field.at("hostPort").integer(0, 65535, 0);
      if (hostPort == 0) {
        continue;
      }
      Field hostIP = field.at("hostIP");
      InetAddress address =
          hostIP.text("").isEmpty() ? null : hostIP.parsed("an IP address", Addresses::parse);
      to.add(
          new Pod.HostPort(
              address,
              ServiceReader.protocol(field.at("protocol")),
              hostPort,
              field.at("containerPort").port()));
    }
  }
}
