package io.gatun.agent.metrics;

/**
 * What existing dashboards and alerts ask kube-proxy for: kubernetes-mixin's dashboard "Proxy", the
 * queries of Kubernetes' scalability tests, and alerts that operators publish.
 */
public final class KubeProxyQueries {
  public static final String ALL =
      """
      sum(rate(kubeproxy_sync_proxy_rules_duration_seconds_count{job="kube-proxy"}[5m]))
      histogram_quantile(0.99,rate(kubeproxy_sync_proxy_rules_duration_seconds_bucket{job="kube-proxy"}[5m]))
      sum(rate(kubeproxy_sync_proxy_rules_duration_seconds_sum[10s])) / sum(rate(kubeproxy_sync_proxy_rules_duration_seconds_count[10s]) > 0)
      sum(rate(kubeproxy_network_programming_duration_seconds_count{job="kube-proxy"}[5m]))
      histogram_quantile(0.99, sum(rate(kubeproxy_network_programming_duration_seconds_bucket[5m])) by (instance, le))
      sum(rate(rest_client_requests_total{job="kube-proxy",code=~"2.."}[5m]))
      histogram_quantile(0.99, sum(rate(rest_client_request_duration_seconds_bucket{verb="POST"}[5m])) by (verb, le))
      histogram_quantile(0.99, sum(rate(rest_client_request_duration_seconds_bucket{verb="GET"}[5m])) by (verb, le))
      process_resident_memory_bytes{job="kube-proxy"}
      rate(process_cpu_seconds_total{job="kube-proxy"}[5m])
      go_goroutines{job="kube-proxy"}
      time() - kubeproxy_sync_proxy_rules_last_timestamp_seconds > 300
      kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds - kubeproxy_sync_proxy_rules_last_timestamp_seconds > 60
      kubeproxy_sync_proxy_rules_endpoint_changes_pending + kubeproxy_sync_proxy_rules_service_changes_pending
      rate(kubeproxy_sync_proxy_rules_endpoint_changes_total[5m]) + rate(kubeproxy_sync_proxy_rules_service_changes_total[5m])
      kubeproxy_sync_proxy_rules_no_local_endpoints_total{traffic_policy="external"}
      rate(kubeproxy_proxy_healthz_total{code="503"}[5m]) + rate(kubeproxy_proxy_livez_total{code="503"}[5m])
      rate(kubeproxy_conntrack_reconciler_deleted_entries_total[5m])
      process_start_time_seconds process_open_fds process_max_fds process_virtual_memory_bytes
      """;

  private KubeProxyQueries() {}
}
