package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;

/**
 * The hash table from a front, or from an address alone, to a value: single writer, many readers
 * without locks. Linear probing; a key once written stays until the table is made anew, and its
 * value is stored with release order, 0 for none.
 *
 * <pre>  slot, 32 bytes: address high │ address low │ kind, protocol, port │ value  </pre>
 */
final class FrontSlots {
  private static final int BYTES = 32;
  private static final int KEY = 16;
  private static final int VALUE = 24;

  /** Key of an address alone. */
  static final long ADDRESS = 1L << 32;

  private static final long FRONT = 1L << 33;
  private static final long IPV6 = 1L << 34;

  final NativeArea area;
  private final long base;
  private final int mask;
  private int used;

  FrontSlots(int slots) {
    area = NativeArea.map("fronts", (long) slots * BYTES);
    base = area.address();
    mask = slots - 1;
  }

  static long address(boolean ipv6) {
    return ipv6 ? ADDRESS | IPV6 : ADDRESS;
  }

  static long front(boolean ipv6, int protocol, int port) {
    return FRONT | (ipv6 ? IPV6 : 0) | (long) protocol << 16 | port;
  }

  /** Where the search for this key begins: what to touch beforehand. */
  long home(long high, long low, long key) {
    long h = (high * 0x9e3779b97f4a7c15L + low ^ key) * 0xd6e8feb86659fd93L;
    h = (h ^ h >>> 32) * 0xd6e8feb86659fd93L;
    return base + ((h >>> 32) & mask) * BYTES;
  }

  long find(long high, long low, long key) {
    return find(home(high, low, key), high, low, key);
  }

  /** The value, 0 for none. */
  long find(long home, long high, long low, long key) {
    long slot = home;
    while (true) {
      // Acquire: pairs with put, the address is whole when its key is seen.
      long there = Memory.getLongAcquire(slot + KEY);
      if (there == 0) {
        return 0;
      }
      if (there == key && Memory.getLong(slot + 8) == low && Memory.getLong(slot) == high) {
        return Memory.getLongAcquire(slot + VALUE);
      }
      slot = after(slot);
    }
  }

  private long after(long slot) {
    long next = slot + BYTES;
    return next == base + (mask + 1L) * BYTES ? base : next;
  }

  /** Writer: stores {@code value}. */
  void put(long high, long low, long key, long value) {
    // Release: pairs with find, the record is whole when its address is seen.
    Memory.putLongRelease(slot(high, low, key) + VALUE, value);
  }

  /** Writer: adds to the value, and returns what it is now. */
  long add(long high, long low, long key, long change) {
    long slot = slot(high, low, key);
    long value = Memory.getLong(slot + VALUE) + change;
    Memory.putLongRelease(slot + VALUE, value);
    return value;
  }

  /** Where the key stands; from now on, if it did not before. */
  private long slot(long high, long low, long key) {
    long slot = home(high, low, key);
    while (true) {
      long there = Memory.getLong(slot + KEY);
      if (there == 0) {
        Memory.putLong(slot, high);
        Memory.putLong(slot + 8, low);
        Memory.putLong(slot + VALUE, 0);
        Memory.putLongRelease(slot + KEY, key);
        used++;
        return slot;
      }
      if (there == key && Memory.getLong(slot + 8) == low && Memory.getLong(slot) == high) {
        return slot;
      }
      slot = after(slot);
    }
  }

  /** Writer: half of the slots have held a key. */
  boolean crowded() {
    return used > mask / 2;
  }

  /** Writer: the same without keys that have no value, at most a quarter full. */
  FrontSlots anew() {
    int live = 0;
    for (long s = base; s <= base + (long) mask * BYTES; s += BYTES) {
      live += Memory.getLong(s + VALUE) == 0 ? 0 : 1;
    }
    FrontSlots next = new FrontSlots(Math.max(1024, Integer.highestOneBit(live + 1) * 8));
    for (long s = base; s <= base + (long) mask * BYTES; s += BYTES) {
      long value = Memory.getLong(s + VALUE);
      if (value != 0) {
        next.put(Memory.getLong(s), Memory.getLong(s + 8), Memory.getLong(s + KEY), value);
      }
    }
    return next;
  }
}
