package io.gatun.control.kubernetes;

import com.fasterxml.jackson.core.JsonGenerator;
import io.gatun.control.document.Addresses;
import io.gatun.control.model.EndpointSlice;
import io.gatun.control.model.EndpointState;
import io.gatun.control.model.KubernetesObject;
import io.gatun.control.model.LabelSelector;
import io.gatun.control.model.NetworkPolicy;
import io.gatun.control.model.Node;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.Pod;
import io.gatun.control.model.Protocol;
import io.gatun.control.model.Service;
import io.gatun.control.model.ServiceCidr;
import io.gatun.control.model.ServicePort;
import io.gatun.control.model.SlicePort;
import io.gatun.control.model.TrafficPolicy;
import io.gatun.service.Algorithm;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes objects as the API says them, so that the readers of manifests read them back equal. */
final class ObjectWriter {
  private final JsonGenerator json;

  private ObjectWriter(JsonGenerator json) {
    this.json = json;
  }

  /** The fields of {@code object}, within an object that the caller has begun and ends. */
  static void write(KubernetesObject object, JsonGenerator json) throws IOException {
    ObjectWriter writer = new ObjectWriter(json);
    switch (object) {
      case Service service -> writer.service(service);
      case EndpointSlice slice -> writer.slice(slice);
      case Node node -> writer.node(node);
      case Pod pod -> writer.pod(pod);
      case ServiceCidr cidr -> writer.cidr(cidr);
      case NetworkPolicy policy -> writer.policy(policy);
    }
  }

  private void head(String version, KubernetesObject object) throws IOException {
    json.writeStringField("apiVersion", version);
    json.writeStringField("kind", object.kind());
    json.writeObjectFieldStart("metadata");
    ObjectName name = object.name();
    text("name", name.name());
    text("namespace", name.namespace());
  }

  private void service(Service service) throws IOException {
    head("v1", service);
    json.writeObjectFieldStart("labels");
    if (service.headlessLabel()) {
      json.writeStringField("service.kubernetes.io/headless", "");
    }
    if (service.proxyName() != null) {
      json.writeStringField("service.kubernetes.io/service-proxy-name", service.proxyName());
    }
    json.writeEndObject();
    annotations(service);
    json.writeEndObject();
    json.writeObjectFieldStart("spec");
    json.writeStringField(
        "type",
        switch (service.type()) {
          case CLUSTER_IP -> "ClusterIP";
          case NODE_PORT -> "NodePort";
          case LOAD_BALANCER -> "LoadBalancer";
          case EXTERNAL_NAME -> "ExternalName";
        });
    addresses("clusterIPs", service.clusterIPs());
    addresses("externalIPs", service.externalIPs());
    texts("loadBalancerSourceRanges", service.sourceRanges());
    json.writeArrayFieldStart("ports");
    for (ServicePort port : service.ports()) {
      json.writeStartObject();
      text("name", port.name());
      json.writeStringField("protocol", Protocol.word(port.protocol()));
      json.writeNumberField("port", port.port());
      number("nodePort", port.nodePort());
      json.writeEndObject();
    }
    json.writeEndArray();
    policy("internalTrafficPolicy", service.internalPolicy());
    policy("externalTrafficPolicy", service.externalPolicy());
    if (service.affinitySeconds() > 0) {
      json.writeStringField("sessionAffinity", "ClientIP");
      json.writeObjectFieldStart("sessionAffinityConfig");
      json.writeObjectFieldStart("clientIP");
      json.writeNumberField("timeoutSeconds", service.affinitySeconds());
      json.writeEndObject();
      json.writeEndObject();
    }
    number("healthCheckNodePort", service.healthCheckNodePort());
    json.writeEndObject();
    if (!service.loadBalancerIPs().isEmpty()) {
      json.writeObjectFieldStart("status");
      json.writeObjectFieldStart("loadBalancer");
      addressObjects("ingress", service.loadBalancerIPs());
      json.writeEndObject();
      json.writeEndObject();
    }
  }

  private void annotations(Service service) throws IOException {
    json.writeObjectFieldStart("annotations");
    if (service.algorithm() != Algorithm.MAGLEV) {
      json.writeStringField(
          "gatun.io/algorithm",
          service.algorithm().name().toLowerCase(Locale.ROOT).replace('_', '-'));
    }
    if (!service.weights().isEmpty()) {
      json.writeStringField(
          "gatun.io/weights",
          String.join(
              ", ",
              service.weights().entrySet().stream()
                  .map(weight -> weight.getKey() + "=" + weight.getValue())
                  .sorted()
                  .toList()));
    }
    if (service.affinityPrefixLength() != 128) {
      json.writeStringField(
          "gatun.io/affinity-ipv6-prefix", String.valueOf(service.affinityPrefixLength()));
    }
    json.writeEndObject();
  }

  private void policy(String name, TrafficPolicy policy) throws IOException {
    if (policy == TrafficPolicy.LOCAL) {
      json.writeStringField(name, "Local");
    }
  }

  private void slice(EndpointSlice slice) throws IOException {
    head("discovery.k8s.io/v1", slice);
    if (slice.service() != null) {
      json.writeObjectFieldStart("labels");
      json.writeStringField(EndpointSlice.SERVICE_LABEL, slice.service().name());
      json.writeEndObject();
    }
    json.writeEndObject();
    json.writeStringField("addressType", slice.ipv6() ? "IPv6" : "IPv4");
    json.writeArrayFieldStart("ports");
    for (SlicePort port : slice.ports()) {
      json.writeStartObject();
      text("name", port.name());
      json.writeStringField("protocol", Protocol.word(port.protocol()));
      json.writeNumberField("port", port.port());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("endpoints");
    for (EndpointState endpoint : slice.endpoints()) {
      endpoint(endpoint);
    }
    json.writeEndArray();
  }

  private void endpoint(EndpointState endpoint) throws IOException {
    json.writeStartObject();
    addresses("addresses", List.of(endpoint.address()));
    if (!endpoint.ready() || !endpoint.serving() || endpoint.terminating()) {
      json.writeObjectFieldStart("conditions");
      json.writeBooleanField("ready", endpoint.ready());
      json.writeBooleanField("serving", endpoint.serving());
      json.writeBooleanField("terminating", endpoint.terminating());
      json.writeEndObject();
    }
    optional("nodeName", endpoint.nodeName());
    if (!endpoint.nodeHints().isEmpty() || !endpoint.zoneHints().isEmpty()) {
      json.writeObjectFieldStart("hints");
      names("forNodes", endpoint.nodeHints());
      names("forZones", endpoint.zoneHints());
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private void names(String field, List<String> names) throws IOException {
    json.writeArrayFieldStart(field);
    for (String name : names) {
      json.writeStartObject();
      json.writeStringField("name", name);
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void node(Node node) throws IOException {
    head("v1", node);
    if (node.zone() != null) {
      json.writeObjectFieldStart("labels");
      json.writeStringField("topology.kubernetes.io/zone", node.zone());
      json.writeEndObject();
    }
    json.writeObjectFieldStart("annotations");
    for (Map.Entry<String, String> flannel : node.flannel().entrySet()) {
      json.writeStringField(Node.FLANNEL + flannel.getKey(), flannel.getValue());
    }
    json.writeEndObject();
    json.writeEndObject();
    json.writeObjectFieldStart("spec");
    texts("podCIDRs", node.podCidrs());
    if (node.leaving()) {
      json.writeArrayFieldStart("taints");
      json.writeStartObject();
      json.writeStringField("key", "ToBeDeletedByClusterAutoscaler");
      json.writeEndObject();
      json.writeEndArray();
    }
    json.writeEndObject();
    json.writeObjectFieldStart("status");
    json.writeArrayFieldStart("addresses");
    for (InetAddress address : node.internalIPs()) {
      json.writeStartObject();
      json.writeStringField("type", "InternalIP");
      json.writeStringField("address", Addresses.text(address));
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void pod(Pod pod) throws IOException {
    head("v1", pod);
    labels("labels", pod.labels());
    json.writeEndObject();
    json.writeObjectFieldStart("spec");
    optional("nodeName", pod.nodeName());
    json.writeBooleanField("hostNetwork", pod.hostNetwork());
    json.writeArrayFieldStart("containers");
    json.writeStartObject();
    json.writeArrayFieldStart("ports");
    for (Pod.HostPort port : pod.hostPorts()) {
      json.writeStartObject();
      InetAddress hostIP = port.hostIP();
      if (hostIP != null) {
        json.writeStringField("hostIP", Addresses.text(hostIP));
      }
      json.writeStringField("protocol", Protocol.word(port.protocol()));
      json.writeNumberField("hostPort", port.hostPort());
      json.writeNumberField("containerPort", port.port());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
    json.writeEndArray();
    json.writeEndObject();
    json.writeObjectFieldStart("status");
    json.writeStringField("phase", pod.ended() ? "Succeeded" : "Running");
    addressObjects("podIPs", pod.addresses());
    json.writeEndObject();
  }

  private void cidr(ServiceCidr cidr) throws IOException {
    head("networking.k8s.io/v1", cidr);
    json.writeEndObject();
    json.writeObjectFieldStart("spec");
    texts("cidrs", cidr.cidrs());
    json.writeEndObject();
  }

  private void policy(NetworkPolicy policy) throws IOException {
    head("networking.k8s.io/v1", policy);
    json.writeEndObject();
    json.writeObjectFieldStart("spec");
    json.writeObjectFieldStart("podSelector");
    labels("matchLabels", policy.pods().exact());
    json.writeArrayFieldStart("matchExpressions");
    for (LabelSelector.Requirement requirement : policy.pods().requirements()) {
      json.writeStartObject();
      json.writeStringField("key", requirement.key());
      json.writeStringField(
          "operator",
          switch (requirement.operator()) {
            case IN -> "In";
            case NOT_IN -> "NotIn";
            case EXISTS -> "Exists";
            case DOES_NOT_EXIST -> "DoesNotExist";
          });
      texts("values", requirement.values());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
    json.writeEndObject();
  }

  private void labels(String field, Map<String, String> labels) throws IOException {
    json.writeObjectFieldStart(field);
    for (Map.Entry<String, String> label : labels.entrySet()) {
      json.writeStringField(label.getKey(), label.getValue());
    }
    json.writeEndObject();
  }

  private void addresses(String field, List<InetAddress> addresses) throws IOException {
    texts(field, addresses.stream().map(Addresses::text).toList());
  }

  private void addressObjects(String field, List<InetAddress> addresses) throws IOException {
    json.writeArrayFieldStart(field);
    for (InetAddress address : addresses) {
      json.writeStartObject();
      json.writeStringField("ip", Addresses.text(address));
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void texts(String field, List<?> values) throws IOException {
    if (!values.isEmpty()) {
      json.writeArrayFieldStart(field);
      for (Object value : values) {
        json.writeString(value.toString());
      }
      json.writeEndArray();
    }
  }

  private void text(String field, String value) throws IOException {
    if (!value.isEmpty()) {
      json.writeStringField(field, value);
    }
  }

  private void optional(String field, @Nullable String value) throws IOException {
    if (value != null) {
      json.writeStringField(field, value);
    }
  }

  private void number(String field, int value) throws IOException {
    if (value != 0) {
      json.writeNumberField(field, value);
    }
  }
}
