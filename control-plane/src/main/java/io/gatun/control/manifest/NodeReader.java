package io.gatun.control.manifest;

import io.gatun.control.document.Field;
import io.gatun.control.document.Prefix;
import io.gatun.control.model.Node;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.ServiceCidr;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads Nodes (core/v1) and ServiceCIDRs (networking.k8s.io/v1). */
final class NodeReader {
  /** The taint of a node that the cluster autoscaler is about to delete. */
  private static final String TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler";

  private NodeReader() {}

  static Node read(ObjectName name, Field object) {
    Field metadata = object.at("metadata");
    Field zone = metadata.at("labels").at("topology.kubernetes.io/zone");
    List<InetAddress> addresses = new ArrayList<>();
    for (Field field : object.at("status").at("addresses").items()) {
      if (field.at("type").text().equals("InternalIP")) {
        addresses.add(field.at("address").address());
      }
    }
    Field single = object.at("spec").at("podCIDR");
    List<Prefix> cidrs = object.at("spec").at("podCIDRs").items(Field::prefix);
    if (cidrs.isEmpty() && single.present()) {
      cidrs = List.of(single.prefix());
    }
    Map<String, String> flannel = new TreeMap<>();
    metadata
        .at("annotations")
        .entries()
        .forEach((key, value) -> {
          if (key.startsWith(Node.FLANNEL)) {
            flannel.put(key.substring(Node.FLANNEL.length()), value.text(""));
          }
        });
    return new Node(
        name,
        zone.present() ? zone.text() : null,
        List.copyOf(addresses),
        cidrs,
        leaving(object),
        Map.copyOf(flannel));
  }

  /** As kube-proxy's healthz decides it (KEP-3458). */
  private static boolean leaving(Field object) {
    return object.at("metadata").at("deletionTimestamp").present()
        || object.at("spec").at("taints").items().stream()
            .anyMatch(taint -> taint.at("key").says(TO_BE_DELETED));
  }

  static ServiceCidr readServiceCidr(ObjectName name, Field object) {
    return new ServiceCidr(name, object.at("spec").at("cidrs").items(Field::prefix));
  }
}
