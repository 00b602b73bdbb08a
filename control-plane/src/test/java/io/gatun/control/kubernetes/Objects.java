package io.gatun.control.kubernetes;

/** Objects as an API server prints them; VERSION stands for the version. */
final class Objects {
  static final String SERVICES = "/api/v1/services";
  static final String SLICES = "/apis/discovery.k8s.io/v1/endpointslices";
  static final String NODES = "/api/v1/nodes";
  static final String PODS = "/api/v1/pods";

  private Objects() {}

  static String service(String name, int number) {
    return """
    {"apiVersion":"v1","kind":"Service","metadata":{"name":"%1$s","namespace":"default","uid":"%1$s-uid","resourceVersion":"VERSION","managedFields":[{"fieldsV1":{"f:spec":{}}}]},
    "spec":{"clusterIP":"10.96.%2$d.%3$d","clusterIPs":["10.96.%2$d.%3$d"],"type":"ClusterIP","ports":[{"name":"http","protocol":"TCP","port":80,"targetPort":8080}]},"status":{"loadBalancer":{}}}\
    """
        .formatted(name, number >> 8, number & 255)
        .replace("\n", "");
  }

  static String slice(String name, String... addresses) {
    StringBuilder endpoints = new StringBuilder();
    for (String address : addresses) {
      endpoints
          .append(endpoints.isEmpty() ? "" : ",")
          .append(
              "{\"addresses\":[\"%s\"],\"conditions\":{\"ready\":true},\"nodeName\":\"node-1\"}"
                  .formatted(address));
    }
    return """
    {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"%1$s-abcde","namespace":"default","uid":"%1$s-slice","resourceVersion":"VERSION","labels":{"kubernetes.io/service-name":"%1$s"},"annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"2026-11-21T10:00:00Z"}},
    "addressType":"IPv4","ports":[{"name":"http","protocol":"TCP","port":8080}],"endpoints":[%2$s]}\
    """
        .formatted(name, endpoints)
        .replace("\n", "");
  }
}
