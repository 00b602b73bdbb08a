package io.gatun.fib;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import io.gatun.worker.WorkerCounters;
import java.util.Arrays;

/**
 * Drops what comes by a port from a source address that the routes do not lead back to, where
 * {@link SourceChecks} say so, as the kernel's {@code rp_filter} does: {@link
 * DropReason#REVERSE_PATH}. Before anything is looked up for the packet. Belongs to one worker.
 *
 * <p>A pod has an address or two, so each port remembers the last source of each family that was
 * right, with the routes' generation: most packets cost a comparison.
 */
public final class SourceStage implements Stage {
  private final Fib fib;
  private SourceChecks checks = SourceChecks.NONE;

  // By port number; 0 as a generation: nothing is remembered.
  private final int[] source4 = new int[WorkerCounters.PORTS];
  private final long[] generation4 = new long[WorkerCounters.PORTS];
  private final long[] sourceHigh = new long[WorkerCounters.PORTS];
  private final long[] sourceLow = new long[WorkerCounters.PORTS];
  private final long[] generation6 = new long[WorkerCounters.PORTS];

  public SourceStage(Fib fib) {
    this.fib = fib;
  }

  @Override
  public void process(PacketVector v) {
    SourceChecks now = fib.sourceChecks();
    if (now != checks) {
      Arrays.fill(generation4, 0); // ports may have changed hands
      Arrays.fill(generation6, 0);
      checks = now;
    }
    if (!now.any()) {
      return;
    }
    long generation = fib.generation();
    for (int i = 0, n = v.size; i < n; i++) {
      byte check = now.of(v.inPort[i]);
      if (check != SourceChecks.OFF
          && v.verdict[i] == Verdict.CONTINUE
          && (v.flags[i] & (PacketVector.SWITCHED | PacketVector.FROM_TUNNEL)) == 0
          && !believed(v, i, check, generation)) {
        v.drop(i, DropReason.REVERSE_PATH);
      }
    }
  }

  private boolean believed(PacketVector v, int i, byte check, long generation) {
    int port = v.inPort[i];
    if ((v.flags[i] & PacketVector.IPV6) == 0) {
      int source = (int) (v.addresses[i] >>> 32);
      if (source4[port] == source && generation4[port] == generation) {
        return true;
      }
      boolean right = leadsBack(fib.routes4().lookup(source), port, check);
      if (right) {
        source4[port] = source;
        generation4[port] = generation;
      }
      return right;
    }
    long l3 = v.address[i] + v.l3[i];
    long high = Ipv6.sourceHigh(l3);
    long low = Ipv6.sourceLow(l3);
    if (sourceLow[port] == low && sourceHigh[port] == high && generation6[port] == generation) {
      return true;
    }
    boolean right = leadsBack(fib.routes6().lookup(high, low), port, check);
    if (right) {
      sourceHigh[port] = high;
      sourceLow[port] = low;
      generation6[port] = generation;
    }
    return right;
  }

  private boolean leadsBack(int adjacency, int port, byte check) {
    long line = fib.adjacencies().line(adjacency);
    int kind = Memory.getInt(line + AdjacencyTable.KIND);
    if (kind == AdjacencyTable.GROUP && check == SourceChecks.STRICT) {
      int count = Memory.getInt(line + AdjacencyTable.COUNT);
      for (int k = 0; k < count; k++) {
        int member = Memory.getInt(line + AdjacencyTable.MEMBERS + k * 4L);
        if (isBy(fib.adjacencies().line(member), port)) {
          return true;
        }
      }
      return false;
    }
    return check == SourceChecks.STRICT
        ? isBy(line, port)
        : kind != AdjacencyTable.NONE && kind < AdjacencyTable.BLACKHOLE;
  }

  private static boolean isBy(long line, int port) {
    int kind = Memory.getInt(line + AdjacencyTable.KIND);
    return (kind == AdjacencyTable.FORWARD || kind == AdjacencyTable.UNRESOLVED)
        && Memory.getInt(line + AdjacencyTable.PORT) == port;
  }
}
