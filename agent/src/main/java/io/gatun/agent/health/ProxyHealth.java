package io.gatun.agent.health;

import io.gatun.control.Progress;
import io.gatun.control.service.NodeFate;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** Whether changes are applied in time, and whether the node may have new connections. */
public final class ProxyHealth {
  /** As kube-proxy: twice its sync period. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Progress progress;
  private final NodeFate fate;

  /** Both may be asked by any thread, and so may this. */
  public ProxyHealth(Progress progress, NodeFate fate) {
    this.progress = progress;
    this.fate = fate;
  }

  /** No change waits for longer than a minute. */
  public boolean isHealthy() {
    return progress.pending().compareTo(PATIENCE) <= 0;
  }

  /** And the node is not about to go. */
  public boolean isEligible() {
    return !fate.leaving();
  }

  /**
   * kube-proxy's answer. "lastUpdated" is now while all is well, as there.
   *
   * @param eligibility whether the Node's fate counts: healthz, not livez
   */
  Map<String, Object> body(boolean eligibility) {
    Instant now = Instant.now();
    Instant updated = isHealthy() ? now : Instant.ofEpochMilli(progress.appliedMillis());
    Map<String, Object> family = new LinkedHashMap<>();
    family.put("lastUpdated", updated.toString());
    family.put("healthy", isHealthy());
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("lastUpdated", updated.toString());
    body.put("currentTime", now.toString());
    if (eligibility) {
      body.put("nodeEligible", isEligible());
    }
    body.put("healthy", isHealthy() && (!eligibility || isEligible()));
    Map<String, Object> families = new LinkedHashMap<>();
    families.put("IPv4", family);
    families.put("IPv6", family);
    body.put("status", families);
    return body;
  }
}
