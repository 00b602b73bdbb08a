package io.gatun.control.manifest;

import io.gatun.control.document.Field;
import io.gatun.control.model.LabelSelector;
import io.gatun.control.model.LabelSelector.Operator;
import io.gatun.control.model.LabelSelector.Requirement;
import io.gatun.control.model.NetworkPolicy;
import io.gatun.control.model.ObjectName;
import java.util.Map;
import java.util.TreeMap;

/** Reads NetworkPolicies: networking.k8s.io/v1, as much of them as tells whom they are about. */
final class NetworkPolicyReader {
  private NetworkPolicyReader() {}

  static NetworkPolicy read(ObjectName name, Field object) {
    Field selector = object.at("spec").at("podSelector");
    Map<String, String> exact = new TreeMap<>();
    selector.at("matchLabels").entries().forEach((key, value) -> exact.put(key, value.text("")));
    return new NetworkPolicy(
        name,
        new LabelSelector(
            Map.copyOf(exact),
            selector.at("matchExpressions").items(NetworkPolicyReader::requirement)));
  }

  private static Requirement requirement(Field field) {
    Operator operator =
        switch (field.at("operator").oneOf("In", "NotIn", "Exists", "DoesNotExist")) {
          case "In" -> Operator.IN;
          case "NotIn" -> Operator.NOT_IN;
          case "Exists" -> Operator.EXISTS;
          default -> Operator.DOES_NOT_EXIST;
        };
    return new Requirement(field.at("key").text(), operator, field.at("values").items(Field::text));
  }
}
