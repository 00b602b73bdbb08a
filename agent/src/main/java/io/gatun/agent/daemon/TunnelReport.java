package io.gatun.agent.daemon;

import io.gatun.control.document.Addresses;
import io.gatun.control.kernel.TunnelView;
import io.gatun.tunnel.TunnelCounters;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** A row for each remote node's tunnel: where it leads, what fits, what went through. Stateless. */
final class TunnelReport {
  private TunnelReport() {}

  static List<Object> rows(List<TunnelView> tunnels, List<TunnelCounters> counters) {
    List<Object> rows = new ArrayList<>();
    for (TunnelView tunnel : tunnels) {
      int number = tunnel.number();
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("dev", tunnel.dev());
      row.put("vni", tunnel.vni());
      row.put("local", text(tunnel.local()));
      row.put("remote", text(tunnel.remote()));
      row.put("port", tunnel.port());
      row.put("mac", tunnel.mac().toString());
      row.put("via", text(tunnel.via()));
      row.put("out", tunnel.out() == null ? "" : tunnel.out());
      row.put("mtu", tunnel.mtu());
      row.put("state", state(tunnel));
      row.put("txFrames", sum(counters, of -> of.sent(number)));
      row.put("txBytes", sum(counters, of -> of.sentBytes(number)));
      row.put("rxFrames", sum(counters, of -> of.received(number)));
      row.put("rxBytes", sum(counters, of -> of.receivedBytes(number)));
      rows.add(row);
    }
    return rows;
  }

  /** {@code kernel}: nothing of ours leads there, the kernel's own device has it. */
  private static String state(TunnelView tunnel) {
    if (tunnel.number() == 0) {
      return tunnel.via() == null ? "kernel" : "waiting";
    }
    return tunnel.mtu() < tunnel.deviceMtu() ? "mtu" : "up";
  }

  private static String text(@Nullable InetAddress address) {
    return address == null ? "" : Addresses.text(address);
  }

  private static long sum(List<TunnelCounters> counters, ToLongFunction<TunnelCounters> what) {
    return counters.stream().mapToLong(what).sum();
  }
}
