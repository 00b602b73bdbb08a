package io.gatun.agent.explain;

import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a flow and why; the fields are in docs/operations.md, explain. Immutable.
 *
 * @param reason a {@link io.gatun.pipeline.DropReason}'s name, with reject and drop
 * @param source the address that the endpoint will see, with the port where a flow is live
 */
public record Explanation(
    String id,
    String verdict,
    @Nullable String reason,
    @Nullable String service,
    @Nullable String frontend,
    List<String> candidates,
    @Nullable String endpoint,
    boolean affinity,
    boolean masquerade,
    @Nullable String source,
    @Nullable Route route,
    @Nullable Tunnel tunnel,
    List<String> steps) {

  /** The way out. */
  public record Route(String prefix, @Nullable String via, @Nullable String dev, int mtu) {
    private Map<String, Object> json() {
      Map<String, @Nullable Object> object = new LinkedHashMap<>();
      object.put("prefix", prefix);
      object.put("via", via);
      object.put("dev", dev);
      object.put("mtu", mtu);
      return castNonNull(object);
    }
  }

  /** The overlay's tunnel, where the way out is one. */
  public record Tunnel(int vni, String remote) {}

  /** Of a flow that has no way out. */
  static Explanation nowhere(
      String id,
      String verdict,
      @Nullable String reason,
      @Nullable FrontSpec front,
      @Nullable String source,
      List<String> steps) {
    return new Explanation(
        id,
        verdict,
        reason,
        service(front),
        frontend(front),
        List.of(),
        null,
        false,
        false,
        source,
        null,
        null,
        steps);
  }

  /** A host port is a pod's, no Service's. */
  static @Nullable String service(@Nullable FrontSpec front) {
    return front == null || front.kind() == FrontKind.HOST_PORT ? null : front.service();
  }

  static @Nullable String frontend(@Nullable FrontSpec front) {
    return front == null ? null : front.kind().label();
  }

  /** As the JSON object of docs/operations.md, fields in its order. */
  public Map<String, Object> json() {
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    object.put("id", id);
    object.put("verdict", verdict);
    object.put("reason", reason);
    object.put("service", service);
    object.put("frontend", frontend);
    object.put("candidates", candidates);
    object.put("endpoint", endpoint);
    object.put("affinity", affinity);
    object.put("masquerade", masquerade);
    object.put("source", source);
    object.put("route", route == null ? null : route.json());
    object.put(
        "tunnel", tunnel == null ? null : Map.of("vni", tunnel.vni(), "remote", tunnel.remote()));
    object.put("steps", steps);
    return castNonNull(object);
  }

  /** Jackson takes null values; nobody else looks into the map. */
  @SuppressWarnings({"unchecked", "NullAway"})
  private static Map<String, Object> castNonNull(Map<String, @Nullable Object> map) {
    return (Map<String, Object>) (Map<String, ?>) map;
  }

  /** For people: the verdict, then the chain. */
  public String text() {
    return text(id, verdict, endpoint, reason, steps);
  }

  /** The same of the fields that it needs. */
  public static String text(
      String id,
      String verdict,
      @Nullable String endpoint,
      @Nullable String reason,
      List<String> steps) {
    StringBuilder text = new StringBuilder(id).append("\n  => ").append(verdict);
    if (endpoint != null) {
      text.append(" to ").append(endpoint);
    }
    if (reason != null) {
      text.append(", ").append(reason);
    }
    text.append('\n');
    steps.forEach(step -> text.append("     ").append(step).append('\n'));
    return text.toString();
  }
}
