package io.gatun.perf;

import io.gatun.lab.Node;
import java.io.IOException;

/** Proof of who forwards on a node; stateless. */
final class KernelForwarding {
  private KernelForwarding() {}

  /** IPv4 packets that the node's kernel forwarded so far. */
  static long packets(Node node) throws IOException {
    String output = node.exec("nstat", "-asz", "IpForwDatagrams").orThrow().output();
    for (String line : output.lines().toList()) {
      String[] words = line.strip().split(" +", -1);
      if (words[0].equals("IpForwDatagrams")) {
        return Long.parseLong(words[1]);
      }
    }
    throw new IOException("nstat: no IpForwDatagrams in: " + output);
  }

  /** A run through Gatun: an exception where the kernel forwarded as much as a packet of it. */
  static void expectNone(long packets) {
    if (packets != 0) {
      throw new IllegalStateException(packets + " packets were forwarded by the kernel");
    }
  }

  /** A run through the kernel: an exception where it forwarded nothing. */
  static void expectSome(long packets) {
    if (packets == 0) {
      throw new IllegalStateException("the kernel forwarded nothing");
    }
  }
}
