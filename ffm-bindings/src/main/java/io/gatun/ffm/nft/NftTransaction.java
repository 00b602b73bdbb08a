package io.gatun.ffm.nft;

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
  private static final int NEW_ELEMENT = 12;
  private static final int DELETE_ELEMENT = 14;
  private static final int NETDEV = 5;
  private static final int INGRESS = 0;

  private static final int REQUEST = 1;
  private static final int CREATE = 0x400;
  private static final int APPEND = 0x800;

  private static final int SET_WITH_TIMEOUT = 0x10;

  /** The {@code nft} program's number of the type "iface_type", so that it prints the set well. */
  private static final int TYPE_DEVICE_TYPE = 21;

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
    int start = begin(NEW_SET, CREATE);
    message.text(1, table).text(2, set).number(3, SET_WITH_TIMEOUT);
    message.number(4, TYPE_DEVICE_TYPE).number(5, 2).number(10, sequence);
    message.end(start);
    return this;
  }

  /** Puts {@code key} into {@code set}, unless it is there; it expires after {@code millis}. */
  public NftTransaction element(String set, byte[] key, long millis) {
    return element(begin(NEW_ELEMENT, CREATE), set, key, millis);
  }

  /** Takes {@code key}, which has to be there, out of {@code set}. */
  public NftTransaction removeElement(String set, byte[] key) {
    return element(begin(DELETE_ELEMENT, 0), set, key, 0);
  }

  private NftTransaction element(int start, String set, byte[] key, long millis) {
    message.text(1, table).text(2, set);
    message.nested(
        3,
        () ->
            message.nested(
                1,
                () -> {
                  message.nested(1, () -> message.bytes(1, key));
                  if (millis > 0) {
                    message.number64(4, millis);
                  }
                }));
    message.end(start);
    return this;
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
