package io.gatun.control.manifest;

import io.gatun.control.document.Field;
import io.gatun.service.Algorithm;
import io.gatun.service.EndpointSet;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a Service may ask for beyond the Kubernetes API, by annotation.
 *
 * <pre>
 *   gatun.io/algorithm: maglev | random | least-connection | weighted     (weighted: maglev)
 *   gatun.io/weights: "10.244.1.5=3, node-2=10"        by endpoint's address or node; others: 1
 *   gatun.io/affinity-ipv6-prefix: "64"                IPv6 clients of one /64 are one client
 * </pre>
 */
final class ServiceAnnotations {
  private static final String ALGORITHM = "gatun.io/algorithm";
  private static final String WEIGHTS = "gatun.io/weights";
  private static final String AFFINITY_PREFIX = "gatun.io/affinity-ipv6-prefix";

  private ServiceAnnotations() {}

  static Algorithm algorithm(Field annotations) {
    Field field = annotations.at(ALGORITHM);
    if (!field.present()) {
      return Algorithm.MAGLEV;
    }
    return switch (field.oneOf("maglev", "random", "least-connection", "weighted")) {
      case "random" -> Algorithm.RANDOM;
      case "least-connection" -> Algorithm.LEAST_CONNECTION;
      default -> Algorithm.MAGLEV;
    };
  }

  static Map<String, Integer> weights(Field annotations) {
    Field field = annotations.at(WEIGHTS);
    return field.present()
        ? field.parsed(
            "weights like 10.244.1.5=3, node-2=10, each from 1 to " + EndpointSet.MAX_WEIGHT,
            ServiceAnnotations::weights)
        : Map.of();
  }

  private static @Nullable Map<String, Integer> weights(String text) {
    Map<String, Integer> weights = new LinkedHashMap<>();
    for (String part : text.split(",", -1)) {
      int equals = part.lastIndexOf('=');
      String number = part.substring(equals + 1).strip();
      if (equals < 0 || !number.matches("[0-9]{1,3}")) {
        return null;
      }
      int weight = Integer.parseInt(number);
      if (weight < 1 || weight > EndpointSet.MAX_WEIGHT) {
        return null;
      }
      weights.put(part.substring(0, equals).strip(), weight);
    }
    return Map.copyOf(weights);
  }

  static int affinityPrefixLength(Field annotations) {
    Field field = annotations.at(AFFINITY_PREFIX);
    return field.present()
        ? field.parsed(
            "a prefix length from 1 to 128, in quotes",
            text -> {
              int length = text.matches("[0-9]{1,3}") ? Integer.parseInt(text) : 0;
              return length >= 1 && length <= 128 ? length : null;
            })
        : 128;
  }
}
