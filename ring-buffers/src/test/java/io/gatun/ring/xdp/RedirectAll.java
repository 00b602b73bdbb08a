package io.gatun.ring.xdp;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.bpf.Bpf;
import io.gatun.ffm.bpf.BpfAssembler;
import io.gatun.ffm.xdp.Xdp;

/**
 * The smallest XDP program there is: every frame to the socket of its queue, else to the kernel.
 */
final class RedirectAll implements AutoCloseable {
  private final int map;
  private final int program;
  private final int link;

  RedirectAll(int ifIndex, XdpSocket socket) {
    map =
        (int)
            NativeException.check(
                Bpf.createMap(Bpf.MAP_TYPE_XSKMAP, 4, 4, 1, 0, "rings_test"), "map", "CAP_BPF");
    BpfAssembler code =
        new BpfAssembler()
            .load(BpfAssembler.Width.INT, BpfAssembler.R2, BpfAssembler.R1, Xdp.MD_RX_QUEUE_INDEX)
            .loadMap(BpfAssembler.R1, map)
            .move(BpfAssembler.R3, Xdp.XDP_PASS)
            .call(Bpf.FUNC_REDIRECT_MAP)
            .exit();
    program = Bpf.loadXdp(code, "rings_test", 0);
    NativeException.check(Bpf.updateInt(map, 0, socket.fd()), "map update", "socket must be bound");
    link =
        (int)
            NativeException.check(
                Bpf.createXdpLink(program, ifIndex, Xdp.XDP_FLAGS_DRV_MODE),
                "link",
                "CAP_NET_ADMIN");
  }

  @Override
  public void close() {
    Libc.close(link);
    Libc.close(program);
    Libc.close(map);
  }
}
