package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import io.gatun.flow.AddressWords;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * What the data path knows of one front: written once, then only read.
 *
 * <pre>
 *   line 0:  flags, endpoints, Maglev slots, service number, counter's address, bytes
 *   then 24 bytes an endpoint: address high, address low, port
 *   then 2 bytes a Maglev slot: the endpoint's index
 * </pre>
 */
final class FrontRecord {
  static final int MASQUERADE = 1;
  static final int DROP_WHEN_EMPTY = 2;

  private static final int FLAGS = 0;
  private static final int ENDPOINTS = 4;
  private static final int SLOTS = 8;
  private static final int SERVICE = 12;
  private static final int COUNTER = 16;
  private static final int BYTES = 24;
  private static final int HEADER = 64;
  private static final int ENDPOINT_BYTES = 24;

  private FrontRecord() {}

  static long write(Blocks blocks, FrontSpec spec, int service, long counter) {
    List<InetSocketAddress> endpoints = sorted(spec.endpoints());
    int n = endpoints.size();
    int[] table = Maglev.table(identities(endpoints));
    long bytes = HEADER + (long) n * ENDPOINT_BYTES + 2L * table.length;
    long record = blocks.take(bytes);
    Memory.putInt(
        record + FLAGS,
        (spec.masquerade() ? MASQUERADE : 0) | (spec.dropWhenEmpty() ? DROP_WHEN_EMPTY : 0));
    Memory.putInt(record + ENDPOINTS, n);
    Memory.putInt(record + SLOTS, table.length);
    Memory.putInt(record + SERVICE, service);
    Memory.putLong(record + COUNTER, counter);
    Memory.putLong(record + BYTES, bytes);
    for (int i = 0; i < n; i++) {
      long at = endpoint(record, i);
      InetAddress address = endpoints.get(i).getAddress();
      Memory.putLong(at, AddressWords.high(address));
      Memory.putLong(at + 8, AddressWords.low(address));
      Memory.putLong(at + 16, endpoints.get(i).getPort());
    }
    long slots = endpoint(record, n);
    for (int i = 0; i < table.length; i++) {
      Memory.putShort(slots + 2L * i, table[i]);
    }
    return record;
  }

  /** One order on all nodes, each endpoint once. */
  private static List<InetSocketAddress> sorted(List<InetSocketAddress> endpoints) {
    return endpoints.stream()
        .distinct()
        .sorted(
            Comparator.comparing(
                    (InetSocketAddress e) -> e.getAddress().getAddress(), Arrays::compareUnsigned)
                .thenComparingInt(InetSocketAddress::getPort))
        .toList();
  }

  private static long[] identities(List<InetSocketAddress> endpoints) {
    return endpoints.stream()
        .mapToLong(e ->
            Maglev.mix(
                Maglev.mix(AddressWords.high(e.getAddress()))
                    ^ Maglev.mix(AddressWords.low(e.getAddress()) + e.getPort() * 0x1_0000_0001L)))
        .toArray();
  }

  static int flags(long record) {
    return Memory.getInt(record + FLAGS);
  }

  static int endpoints(long record) {
    return Memory.getInt(record + ENDPOINTS);
  }

  static int service(long record) {
    return Memory.getInt(record + SERVICE);
  }

  static long counter(long record) {
    return Memory.getLong(record + COUNTER);
  }

  static long bytes(long record) {
    return Memory.getLong(record + BYTES);
  }

  /** Index of the endpoint for a flow; there must be one. */
  static int choose(long record, int hash) {
    long slots = endpoint(record, endpoints(record));
    return Memory.getShort(slots + 2L * Maglev.slot(hash, Memory.getInt(record + SLOTS)));
  }

  static long endpoint(long record, int index) {
    return record + HEADER + (long) index * ENDPOINT_BYTES;
  }
}
