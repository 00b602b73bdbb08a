package io.gatun.perf;

import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.ServiceTable;

/** What workers would read, without workers; for one thread. */
final class BareTables implements AutoCloseable {
  private static final int FLOWS = 100_000;

  final Qsbr qsbr = new Qsbr(1);
  final FlowTable flows = new FlowTable(FLOWS, FlowTimeouts.defaults(), qsbr);
  final ServiceTable services = new ServiceTable(flows, qsbr);

  @Override
  public void close() {
    services.close();
    flows.close();
  }
}
