package io.gatun.control.kubernetes;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** The kinds that are followed, and which objects of each the server is asked for. */
enum ApiResource {
  SERVICES("/api/v1/services", "v1", "Service", true),
  ENDPOINT_SLICES(
      "/apis/discovery.k8s.io/v1/endpointslices", "discovery.k8s.io/v1", "EndpointSlice", true),
  NODES("/api/v1/nodes", "v1", "Node", false),
  PODS("/api/v1/pods", "v1", "Pod", false),
  SERVICE_CIDRS(
      "/apis/networking.k8s.io/v1/servicecidrs", "networking.k8s.io/v1", "ServiceCIDR", false),
  NETWORK_POLICIES(
      "/apis/networking.k8s.io/v1/networkpolicies", "networking.k8s.io/v1", "NetworkPolicy", false);

  private static final String HEADLESS = "service.kubernetes.io/headless";
  private static final String PROXY_NAME = "service.kubernetes.io/service-proxy-name";

  private final String path;
  private final String version;
  private final String kind;
  private final boolean required;

  ApiResource(String path, String version, String kind, boolean required) {
    this.path = path;
    this.version = version;
    this.kind = kind;
    this.required = required;
  }

  String path() {
    return path;
  }

  String version() {
    return version;
  }

  String kind() {
    return kind;
  }

  /** Nothing can be served without it; the others older servers may not have. */
  boolean required() {
    return required;
  }

  /**
   * The selector as a part of a query, "" or {@code &…}. As kube-proxy asks: headless Services and
   * those of other proxies never leave the server, nor do their slices, which bear the same labels.
   *
   * @param proxyName whose Services are taken; empty for those without the label
   */
  String selector(String node, String proxyName) {
    return switch (this) {
      case SERVICES -> labels("!" + HEADLESS + "," + owner(proxyName));
      // Slices that people write themselves need not bear the name of the proxy.
      case ENDPOINT_SLICES ->
          labels("!" + HEADLESS + (proxyName.isEmpty() ? "," + owner(proxyName) : ""));
      case PODS -> "&fieldSelector=" + encoded("spec.nodeName=" + node);
      default -> "";
    };
  }

  private static String owner(String proxyName) {
    return proxyName.isEmpty() ? "!" + PROXY_NAME : PROXY_NAME + "=" + proxyName;
  }

  private static String labels(String selector) {
    return "&labelSelector=" + encoded(selector);
  }

  static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
