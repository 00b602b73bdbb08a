package io.gatun.ffm.nft;

import java.util.Collection;

/**
 * Changes to one table of the netdev family, in order, that become true together when an {@link
 * NftSocket} commits them. For one thread.
 */
public final class NftTransaction {
  // linux/netfilter/nfnetlink.h, nf_tables.h
  private static final int NFTABLES = 10;
  private static final int BATCH_BEGIN = 16;
  private static final int BATCH_END = 17;
  private static final int NEW_TABLE = 0;
  private static final int DELETE_TABLE = 2;
  private static final int NEW_CHAIN = 3;
  private static final int DELETE_CHAIN = 5;
  private static final int NEW_RULE = 6;
  private static final int DELETE_RULE = 8;
  private static final int NEW_SET = 9;
  private static final int DELETE_SET = 11;
  private static final int NEW_ELEMENT = 12;
  private static final int DELETE_ELEMENT = 14;
  private static final int NETDEV = 5;
  private static final int INGRESS = 0;

  private static final int REQUEST = 1;
  private static final int CREATE = 0x400;
  private static final int APPEND = 0x800;

  private static final int SET_OF_RANGES = 4;
  private static final int SET_WITH_TIMEOUT = 0x10;

  /** Flag of an element: the first value behind a range. */
  private static final int RANGE_END = 1;

  private static final int LAST_PORT = 65_535;

  // The nft program's numbers of types, so that it prints the sets well.
  private static final int TYPE_IPV4 = 7;
  private static final int TYPE_IPV6 = 8;
  private static final int TYPE_PORT = 13;
  private static final int TYPE_DEVICE_TYPE = 21;

  /** The same for "ether_addr". */
  private static final int TYPE_ETHERNET_ADDRESS = 9;

  private final String table;
  private final NftMessage message = new NftMessage();
  private int sequence;
  private int last;

  /** A transaction on {@code table}, which need not be there yet. */
  public NftTransaction(String table) {
    this.table = table;
    message.end(message.begin(BATCH_BEGIN, REQUEST, sequence++, 0, NFTABLES));
  }

  private int begin(int type, int flags) {
    last = message.begin(NFTABLES << 8 | type, REQUEST | flags, sequence++, NETDEV, 0);
    return last;
  }

  /** Makes the table unless it is there. */
  public NftTransaction table() {
    int start = begin(NEW_TABLE, CREATE);
    message.text(1, table);
    message.end(start);
    return this;
  }

  /** Removes the table with all that is in it. */
  public NftTransaction removeTable() {
    int start = begin(DELETE_TABLE, 0);
    message.text(1, table);
    message.end(start);
    return this;
  }

  /** Makes, unless it is there, a set of device types whose elements may expire. */
  public NftTransaction deviceTypeSet(String set) {
    return set(set, SET_WITH_TIMEOUT, TYPE_DEVICE_TYPE, 2);
  }

  /** Makes, unless it is there, a set of addresses of {@code bytes} bytes. */
  public NftTransaction addressSet(String set, int bytes) {
    return set(set, 0, bytes == 4 ? TYPE_IPV4 : TYPE_IPV6, bytes);
  }

  /** Makes, unless it is there, a set of ranges of ports. */
  public NftTransaction portSet(String set) {
    return set(set, SET_OF_RANGES, TYPE_PORT, 2);
  }

  private NftTransaction set(String set, int flags, int type, int bytes) {
    int start = begin(NEW_SET, CREATE);
    message.text(1, table).text(2, set).number(3, flags);
    message.number(4, type).number(5, bytes).number(10, sequence);
    message.end(start);
    return this;
  }

  /** Makes, unless it is there, a set of Ethernet addresses. */
  public NftTransaction macSet(String set) {
    return set(set, 0, TYPE_ETHERNET_ADDRESS, 6);
  }

  /** Removes {@code set}, which has to be there and which no rule may name any more. */
  public NftTransaction removeSet(String set) {
    int start = begin(DELETE_SET, 0);
    message.text(1, table).text(2, set);
    message.end(start);
    return this;
  }

  /** Puts {@code key} into {@code set}, unless it is there; it expires after {@code millis}. */
  public NftTransaction element(String set, byte[] key, long millis) {
    return elements(begin(NEW_ELEMENT, CREATE), set, () -> element(key, 0, millis));
  }

  /** Takes {@code key}, which has to be there, out of {@code set}. */
  public NftTransaction removeElement(String set, byte[] key) {
    return elements(begin(DELETE_ELEMENT, 0), set, () -> element(key, 0, 0));
  }

  /** Puts all of {@code keys} into {@code set}. */
  public NftTransaction elements(String set, Collection<byte[]> keys) {
    if (keys.isEmpty()) {
      return this;
    }
    return elements(begin(NEW_ELEMENT, CREATE), set, () -> keys.forEach(key -> element(key, 0, 0)));
  }

  /** Puts ranges of ports, {@code {first, last}} with a gap between two, into {@code set}. */
  public NftTransaction ranges(String set, Collection<int[]> ranges) {
    if (ranges.isEmpty()) {
      return this;
    }
    return elements(
        begin(NEW_ELEMENT, CREATE),
        set,
        () -> {
          for (int[] range : ranges) {
            element(port(range[0]), 0, 0);
            if (range[1] < LAST_PORT) { // else it is open
              element(port(range[1] + 1), RANGE_END, 0);
            }
          }
        });
  }

  private static byte[] port(int number) {
    return new byte[] {(byte) (number >>> 8), (byte) number};
  }

  /** Takes all elements out of {@code set}. */
  public NftTransaction clear(String set) {
    int start = begin(DELETE_ELEMENT, 0);
    message.text(1, table).text(2, set);
    message.end(start);
    return this;
  }

  private NftTransaction elements(int start, String set, Runnable elements) {
    message.text(1, table).text(2, set).nested(3, elements);
    message.end(start);
    return this;
  }

  private void element(byte[] key, int flags, long millis) {
    message.nested(
        1,
        () -> {
          message.nested(1, () -> message.bytes(1, key));
          if (flags != 0) {
            message.number(3, flags);
          }
          if (millis > 0) {
            message.number64(4, millis);
          }
        });
  }

  /** Makes, unless it is there, a chain that sees what comes in by {@code device}. */
  public NftTransaction ingressChain(String chain, String device, int priority) {
    int start = begin(NEW_CHAIN, CREATE);
    message.text(1, table).text(3, chain);
    message.nested(4, () -> message.number(1, INGRESS).number(2, priority).text(3, device));
    message.text(7, "filter");
    message.end(start);
    return this;
  }

  /** Removes the rules of {@code chain}, which has to be there. */
  public NftTransaction flush(String chain) {
    int start = begin(DELETE_RULE, 0);
    message.text(1, table).text(2, chain);
    message.end(start);
    return this;
  }

  /** Removes {@code chain}, which has to be there, with its rules. */
  public NftTransaction removeChain(String chain) {
    flush(chain);
    int start = begin(DELETE_CHAIN, 0);
    message.text(1, table).text(3, chain);
    message.end(start);
    return this;
  }

  /** Adds {@code rule} behind the others. */
  public NftTransaction rule(String chain, NftRule rule) {
    int start = begin(NEW_RULE, CREATE | APPEND);
    message.text(1, table).text(2, chain);
    message.nested(4, () -> rule.write(message));
    message.end(start);
    return this;
  }

  /** Whether nothing was asked for yet. */
  public boolean isEmpty() {
    return sequence == 1;
  }

  /** The sequence number of the message that is answered also when all went well. */
  int lastSequence() {
    return sequence - 1;
  }

  /** All of it; complete afterwards. */
  byte[] bytes() {
    message.acknowledge(last);
    message.end(message.begin(BATCH_END, REQUEST, sequence, 0, NFTABLES));
    return message.toByteArray();
  }
}
