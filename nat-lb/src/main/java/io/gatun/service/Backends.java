package io.gatun.service;

/**
 * The endpoints of one Service port in one family, which all its fronts share. Immutable.
 *
 * @param cluster what traffic under policy Cluster may use; empty when the Service has none at all
 * @param local what traffic under policy Local may use: this node's
 * @param serving all that still answer, also while they terminate: their flows stay
 */
public record Backends(EndpointSet cluster, EndpointSet local, EndpointSet serving) {
  public static final Backends NONE =
      new Backends(EndpointSet.EMPTY, EndpointSet.EMPTY, EndpointSet.EMPTY);

  /** One set for everything. */
  public static Backends of(EndpointSet all) {
    return new Backends(all, all, all);
  }
}
