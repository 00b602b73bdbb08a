package io.gatun.fib.lpm;

/** A root of slots for all of its bits; a node is named by its unit. */
record FlatRoot(int finest) implements Root {
  @Override
  public int units() {
    return (1 << finest) * Node.ROOT_SLOT_BYTES / Node.UNIT;
  }

  @Override
  public int bits(long base, int index) {
    return finest;
  }

  @Override
  public long slot(long base, int index) {
    return base + (long) index * Node.ROOT_SLOT_BYTES;
  }

  @Override
  public int name(int unit, int bits) {
    return unit;
  }

  @Override
  public int unit(int name) {
    return name;
  }

  @Override
  public int bits(int name) {
    return finest;
  }
}
