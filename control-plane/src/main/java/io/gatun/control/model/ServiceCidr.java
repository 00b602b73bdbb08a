package io.gatun.control.model;

import io.gatun.control.document.Prefix;
import java.util.List;

/** A ServiceCIDR: where cluster IPs come from. Immutable. */
public record ServiceCidr(ObjectName name, List<Prefix> cidrs) implements KubernetesObject {
  @Override
  public String kind() {
    return "ServiceCIDR";
  }
}
