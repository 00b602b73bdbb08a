package io.gatun.fib;

import io.gatun.fib.lpm.Lpm4;
import io.gatun.fib.lpm.Lpm6;
import io.gatun.fib.lpm.Retirement;

/**
 * A number for each prefix of either family, found by the longest one that contains an address. One
 * writer, many readers. Addresses are two longs, IPv4 in the low one; numbers are from 1 to 32,767.
 */
public final class PrefixNumbers implements AutoCloseable {
  private final Lpm4 ipv4;
  private final Lpm6 ipv6;

  /** Empty; {@code name} is for messages. */
  public PrefixNumbers(String name, Retirement retirement) {
    ipv4 = new Lpm4(name + "4", retirement);
    ipv6 = new Lpm6(name + "6", retirement);
  }

  /** Gives the prefix a number, 0 to take it out; its bits beyond {@code length} are zeros. */
  public void put(boolean six, long high, long low, int length, int number) {
    if (number == 0) {
      remove(six, high, low, length);
    } else if (six) {
      ipv6.add(high, low, length, number);
    } else {
      ipv4.add((int) low, length, number);
    }
  }

  private void remove(boolean six, long high, long low, int length) {
    if (six) {
      ipv6.remove(high, low, length);
    } else {
      ipv4.remove((int) low, length);
    }
  }

  /** The number of the longest prefix with this address, 0 when there is none. */
  public int lookup(boolean six, long high, long low) {
    return six ? ipv6.lookup(high, low) : ipv4.lookup((int) low);
  }

  /** Frees the memory; no reader may be left. */
  @Override
  public void close() {
    ipv4.close();
    ipv6.close();
  }
}
