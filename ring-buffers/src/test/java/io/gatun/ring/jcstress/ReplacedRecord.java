package io.gatun.ring.jcstress;

import io.gatun.ffm.memory.Memory;
import io.gatun.ring.qsbr.Qsbr;

/**
 * A root that points to an old record (value 1), and a writer that replaces it by a new one (2).
 */
final class ReplacedRecord {
  static final long FREED = 0xDEAD;

  final Qsbr qsbr = new Qsbr(1);
  final Qsbr.Reader reader = qsbr.register();

  private final long root = Slices.next();
  private final long before = root + 128;
  private final long after = root + 256;

  ReplacedRecord() {
    Memory.putLong(before, 1);
    Memory.putLong(after, 2);
    Memory.putLongRelease(root, before);
  }

  long read() {
    return Memory.getLong(Memory.getLongAcquire(root));
  }

  /** Unlinks, retires, and frees if that is allowed already; a freed record is written over. */
  void replace() {
    Memory.putLongRelease(root, after);
    qsbr.retire(before, record -> Memory.putLong(record, FREED));
    qsbr.reclaim();
  }
}
