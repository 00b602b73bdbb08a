package io.gatun.ffm.nft;

import java.util.ArrayList;
import java.util.List;

/**
 * A rule of a netdev chain, put together from left to right; everything before the verdict must
 * hold. For one thread.
 *
 * <pre>{@code
 * new NftRule().payload(LINK, 0, 1).mask(1).isNot(0).accept()   // to a group
 * new NftRule().meta(Meta.DEVICE_TYPE).notIn("lease").accept()
 * }</pre>
 *
 * Values are as the packet has them, in network order.
 */
public final class NftRule {
  /** Headers that a load counts from (enum nft_payload_bases). */
  public enum Base {
    LINK,
    NETWORK
  }

  /** What is known beside the packet's bytes (enum nft_meta_keys). */
  public enum Meta {
    /** ARPHRD of the device it came in by, two bytes in host order: 1 for Ethernet. */
    DEVICE_TYPE(8, 2);

    final int key;
    final int bytes;

    Meta(int key, int bytes) {
      this.key = key;
      this.bytes = bytes;
    }
  }

  // enum nft_registers, nft_cmp_ops, nf verdicts
  private static final int VERDICT = 0;
  private static final int REGISTER = 1;
  private static final int EQUAL = 0;
  private static final int NOT_EQUAL = 1;
  private static final int AT_MOST = 3;
  private static final int AT_LEAST = 5;
  private static final int DROP = 0;
  private static final int ACCEPT = 1;

  private static final int EXPRESSION_NAME = 1;
  private static final int EXPRESSION_DATA = 2;
  private static final int LIST_ELEMENT = 1;
  private static final int DATA_VALUE = 1;
  private static final int DATA_VERDICT = 2;

  @FunctionalInterface
  private interface Expression {
    void write(NftMessage message);
  }

  private record Named(String name, Expression data) {}

  private final List<Named> expressions = new ArrayList<>();
  private int bytes;

  private NftRule add(String name, Expression data) {
    expressions.add(new Named(name, data));
    return this;
  }

  /** Loads {@code count} bytes of the packet. */
  public NftRule payload(Base base, int offset, int count) {
    bytes = count;
    return add(
        "payload",
        m -> m.number(1, REGISTER).number(2, base.ordinal()).number(3, offset).number(4, count));
  }

  /** Loads a fact. */
  public NftRule meta(Meta meta) {
    bytes = meta.bytes;
    return add("meta", m -> m.number(1, REGISTER).number(2, meta.key));
  }

  /** Keeps the loaded bits that are set in {@code mask}. */
  public NftRule mask(int mask) {
    int count = bytes;
    return add(
        "bitwise",
        m ->
            m.number(1, REGISTER)
                .number(2, REGISTER)
                .number(3, count)
                .nested(4, () -> m.bytes(DATA_VALUE, value(mask, count)))
                .nested(5, () -> m.bytes(DATA_VALUE, value(0, count))));
  }

  public NftRule is(int value) {
    return compare(EQUAL, value);
  }

  /** For what does not fit a number: an address, of 16 bytes at most. */
  public NftRule is(byte[] value) {
    return compare(EQUAL, value.clone());
  }

  /** What was loaded is below {@code first} or above {@code last}. */
  public NftRule outside(int first, int last) {
    byte[] from = value(first, bytes);
    byte[] to = value(last, bytes);
    return add(
        "range",
        m ->
            m.number(1, REGISTER)
                .number(2, NOT_EQUAL)
                .nested(3, () -> m.bytes(DATA_VALUE, from))
                .nested(4, () -> m.bytes(DATA_VALUE, to)));
  }

  /** For what does not fit a number: a MAC address. */
  public NftRule isNot(byte[] value) {
    return compare(NOT_EQUAL, value.clone());
  }

  public NftRule isNot(int value) {
    return compare(NOT_EQUAL, value);
  }

  public NftRule atLeast(int value) {
    return compare(AT_LEAST, value);
  }

  public NftRule atMost(int value) {
    return compare(AT_MOST, value);
  }

  private NftRule compare(int operator, int value) {
    return compare(operator, value(value, bytes));
  }

  private NftRule compare(int operator, byte[] value) {
    return add(
        "cmp",
        m -> m.number(1, REGISTER).number(2, operator).nested(3, () -> m.bytes(DATA_VALUE, value)));
  }

  /** What was loaded is an element of {@code set}. */
  public NftRule in(String set) {
    return add("lookup", m -> m.text(1, set).number(2, REGISTER));
  }

  /** What was loaded is no element of {@code set}. */
  public NftRule notIn(String set) {
    return add("lookup", m -> m.text(1, set).number(2, REGISTER).number(5, 1));
  }

  /** To whoever comes next: the kernel. */
  public NftRule accept() {
    return verdict(ACCEPT);
  }

  public NftRule drop() {
    return verdict(DROP);
  }

  private NftRule verdict(int code) {
    return add(
        "immediate",
        m -> m.number(1, VERDICT).nested(2, () -> m.nested(DATA_VERDICT, () -> m.number(1, code))));
  }

  void write(NftMessage message) {
    for (Named expression : expressions) {
      message.nested(
          LIST_ELEMENT,
          () -> {
            message.text(EXPRESSION_NAME, expression.name);
            message.nested(EXPRESSION_DATA, () -> expression.data.write(message));
          });
    }
  }

  private static byte[] value(int value, int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) (value >>> 8 * (count - 1 - i));
    }
    return bytes;
  }
}
