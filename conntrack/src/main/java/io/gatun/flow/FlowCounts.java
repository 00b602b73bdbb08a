package io.gatun.flow;

import io.gatun.ffm.memory.Memory;

/** What is counted of the flows that there are. Safe for use by many threads. */
final class FlowCounts {
  private final FlowPressure pressure;
  private final PortUse ports;

  FlowCounts(FlowPressure pressure, PortUse ports) {
    this.pressure = pressure;
    this.ports = ports;
  }

  /** A flow comes or goes. */
  void count(long flow, int change) {
    pressure.count(FlowLayout.service(flow), change);
    ports.count(flow, change);
  }

  /** It is another Service's from now on; before any worker runs. */
  void renumber(long flow, int service) {
    pressure.count(FlowLayout.service(flow), -1);
    Memory.putInt(flow + FlowLayout.SERVICE, service);
    pressure.count(service, 1);
  }
}
