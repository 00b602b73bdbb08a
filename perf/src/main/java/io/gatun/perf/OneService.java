package io.gatun.perf;

import java.nio.charset.StandardCharsets;

/**
 * A Service of UDP with one endpoint of this node, which traffic is sent to: one object more beside
 * a {@link LargeCluster}, as an API server or a file has it. Immutable.
 */
record OneService(String clusterIp, String endpoint, int port) {
  byte[] service() {
    return """
    {"apiVersion":"v1","kind":"Service","metadata":{"name":"asked","namespace":"bench","uid":"asked","resourceVersion":"1"},\
    "spec":{"type":"ClusterIP","clusterIP":"%1$s","clusterIPs":["%1$s"],"ports":[{"name":"asked","port":%2$d,"protocol":"UDP"}]}}\
    """
        .formatted(clusterIp, port)
        .getBytes(StandardCharsets.UTF_8);
  }

  byte[] slice() {
    return """
    {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"asked-1","namespace":"bench",\
    "labels":{"kubernetes.io/service-name":"asked"},"uid":"asked-1","resourceVersion":"2"},\
    "addressType":"IPv4","ports":[{"name":"asked","port":%d,"protocol":"UDP"}],\
    "endpoints":[{"addresses":["%s"],"nodeName":"node","conditions":{"ready":true}}]}\
    """
        .formatted(port, endpoint)
        .getBytes(StandardCharsets.UTF_8);
  }
}
