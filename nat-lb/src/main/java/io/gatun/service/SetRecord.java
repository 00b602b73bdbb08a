package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import java.net.InetSocketAddress;

/**
 * What the data path knows of an {@link EndpointSet}: written once, then only read; shared by all
 * fronts that use the set.
 *
 * <pre>
 *   line 0:  endpoints, algorithm, picks, Maglev slots, bytes, where picks and slots begin
 *   then 32 bytes an endpoint: address high, address low, port and weight, its load's address
 *   then 16 bytes a pick: identity, endpoint's index; an endpoint has as many as its weight
 *   then 4 bytes a Maglev slot: the endpoint's index; none for small sets
 * </pre>
 */
final class SetRecord {
  /** Endpoints that are asked for their load; enough of them and the best of all is near. */
  private static final int ASKED = 8;

  private static final int ENDPOINTS = 0;
  private static final int ALGORITHM = 4;
  private static final int PICKS = 8;
  private static final int SLOTS = 12;
  private static final int BYTES = 16;
  private static final int PICKS_AT = 24;
  private static final int SLOTS_AT = 32;
  private static final int HEADER = 64;

  private static final int ENDPOINT_BYTES = 32;
  private static final int PORT = 16;
  private static final int WEIGHT = 20;
  private static final int LOAD = 24;
  private static final int PICK_BYTES = 16;

  private static final int MAGLEV = Algorithm.MAGLEV.ordinal();
  private static final int RANDOM = Algorithm.RANDOM.ordinal();
  private static final int LEAST_CONNECTION = Algorithm.LEAST_CONNECTION.ordinal();

  private SetRecord() {}

  /** Where an endpoint's connections are counted. */
  @FunctionalInterface
  interface Loads {
    long counter(InetSocketAddress endpoint);
  }

  static long write(Blocks blocks, EndpointSet set, Loads loads) {
    int n = set.size();
    int picks = 0;
    for (int i = 0; i < n; i++) {
      picks += set.weight(i);
    }
    long[] identities = new long[picks];
    int[] of = new int[picks];
    for (int i = 0, k = 0; i < n; i++) {
      long identity = identity(set, i);
      for (int w = 0; w < set.weight(i); w++, k++) {
        identities[k] = w == 0 ? identity : Maglev.mix(identity + w);
        of[k] = i;
      }
    }
    boolean tabled = set.algorithm() == Algorithm.MAGLEV && picks > Rendezvous.MOST;
    int[] table = tabled ? Maglev.table(identities) : new int[0];
    long bytes = HEADER + (long) n * ENDPOINT_BYTES + (long) picks * PICK_BYTES + 4L * table.length;
    long record = blocks.take(bytes);
    long picksAt = endpoint(record, n);
    long slotsAt = picksAt + (long) picks * PICK_BYTES;
    Memory.putInt(record + ENDPOINTS, n);
    Memory.putInt(record + ALGORITHM, set.algorithm().ordinal());
    Memory.putInt(record + PICKS, picks);
    Memory.putInt(record + SLOTS, table.length);
    Memory.putLong(record + BYTES, bytes);
    Memory.putLong(record + PICKS_AT, picksAt);
    Memory.putLong(record + SLOTS_AT, slotsAt);
    for (int i = 0; i < n; i++) {
      long at = endpoint(record, i);
      Memory.putLong(at, set.high(i));
      Memory.putLong(at + 8, set.low(i));
      Memory.putInt(at + PORT, set.port(i));
      Memory.putInt(at + WEIGHT, set.weight(i));
      boolean counted = set.algorithm() == Algorithm.LEAST_CONNECTION;
      Memory.putLong(at + LOAD, counted ? loads.counter(set.endpoints().get(i)) : 0);
    }
    for (int k = 0; k < picks; k++) {
      Memory.putLong(picksAt + (long) k * PICK_BYTES, identities[k]);
      Memory.putInt(picksAt + (long) k * PICK_BYTES + 8, of[k]);
    }
    for (int i = 0; i < table.length; i++) {
      Memory.putInt(slotsAt + 4L * i, of[table[i]]);
    }
    return record;
  }

  private static long identity(EndpointSet set, int i) {
    return Maglev.mix(
        Maglev.mix(set.high(i)) ^ Maglev.mix(set.low(i) + set.port(i) * 0x1_0000_0001L));
  }

  static int endpoints(long record) {
    return Memory.getInt(record + ENDPOINTS);
  }

  static long bytes(long record) {
    return Memory.getLong(record + BYTES);
  }

  static long endpoint(long record, int index) {
    return record + HEADER + (long) index * ENDPOINT_BYTES;
  }

  static int port(long endpoint) {
    return Memory.getInt(endpoint + PORT);
  }

  /** Address of the counter of its connections, 0 for none. */
  static long load(long endpoint) {
    return Memory.getLong(endpoint + LOAD);
  }

  /** Whether a choice depends on the flows before it. */
  static boolean countsConnections(long record) {
    return Memory.getInt(record + ALGORITHM) == LEAST_CONNECTION;
  }

  /**
   * Index of the endpoint for a flow; there must be one.
   *
   * @param random anything, another one each time
   */
  static int choose(long record, int hash, int random) {
    int algorithm = Memory.getInt(record + ALGORITHM);
    long picks = Memory.getLong(record + PICKS_AT);
    int count = Memory.getInt(record + PICKS);
    if (algorithm == MAGLEV) {
      int slots = Memory.getInt(record + SLOTS);
      return slots == 0
          ? pick(picks, Rendezvous.choose(picks, count, hash))
          : Memory.getInt(Memory.getLong(record + SLOTS_AT) + 4L * Maglev.slot(hash, slots));
    }
    return algorithm == RANDOM
        ? pick(picks, Maglev.slot(random, count))
        : leastLoaded(record, picks, count, random);
  }

  private static int pick(long picks, int number) {
    return Memory.getInt(picks + (long) number * PICK_BYTES + 8);
  }

  /** All of a few; of many, some at random (the power of choices, Mitzenmacher 2001). */
  private static int leastLoaded(long record, long picks, int count, int random) {
    int n = endpoints(record);
    int asked = Math.min(n, ASKED);
    int best = -1;
    long bestLoad = 0;
    long bestWeight = 1;
    long r = random;
    for (int k = 0; k < asked; k++) {
      int index;
      if (n <= ASKED) {
        index = (Maglev.slot(random, n) + k) % n;
      } else {
        r = Maglev.mix(r);
        index = pick(picks, Maglev.slot((int) r, count));
      }
      long at = endpoint(record, index);
      long load = Memory.getLongAcquire(Memory.getLong(at + LOAD));
      long weight = Memory.getInt(at + WEIGHT);
      if (best < 0 || load * bestWeight < bestLoad * weight) {
        best = index;
        bestLoad = load;
        bestWeight = weight;
      }
    }
    return best;
  }

  /** Index of an endpoint by its address and port, -1 when it is not in the set. */
  static int find(long record, long high, long low, int port) {
    int from = 0;
    int to = endpoints(record) - 1;
    while (from <= to) {
      int middle = (from + to) >>> 1;
      long at = endpoint(record, middle);
      int order = Long.compareUnsigned(Memory.getLong(at), high);
      order = order != 0 ? order : Long.compareUnsigned(Memory.getLong(at + 8), low);
      order = order != 0 ? order : Memory.getInt(at + PORT) - port;
      if (order == 0) {
        return middle;
      }
      if (order < 0) {
        from = middle + 1;
      } else {
        to = middle - 1;
      }
    }
    return -1;
  }
}
