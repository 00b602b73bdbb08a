package io.gatun.control.kernel;

import io.gatun.control.kernel.KernelTables.Address;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.control.kernel.KernelTables.Settings;
import io.gatun.ffm.netlink.DeviceSettings;
import io.gatun.fib.SourceChecks.Check;
import java.net.Inet4Address;

/**
 * What the kernel would ask of the source address of a packet that comes by a device: its {@code
 * rp_filter} (fib_validate_source, net/ipv4/fib_frontend.c); stateless.
 */
final class ReversePath {
  private static final int STRICT = 1;
  private static final int LOOSE = 2;

  private ReversePath() {}

  static Check of(KernelState state, int device) {
    Link link = state.link(device);
    if (link == null || link.master() != 0) {
      return Check.OFF; // a bridge's port: to the kernel all of them are one device
    }
    int filter = Math.max(filter(state, DeviceSettings.ALL), filter(state, device));
    return switch (filter) {
      case STRICT -> Check.STRICT;
      // "no_addr": a device without an address, as pods' often are, is not treated loosely.
      case LOOSE -> hasAddress(state, device) ? Check.LOOSE : Check.STRICT;
      default -> Check.OFF;
    };
  }

  private static int filter(KernelState state, int device) {
    return state.get(Settings.key(device)) instanceof Settings settings ? settings.rpFilter() : 0;
  }

  private static boolean hasAddress(KernelState state, int device) {
    for (Address address : state.all(Address.class)) {
      if (address.ifIndex() == device && address.address() instanceof Inet4Address) {
        return true;
      }
    }
    return false;
  }
}
