package io.gatun.flow;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;

/**
 * Which five-tuples are in use towards endpoints without translation, so that no translated flow
 * comes to look the same to its endpoint: their replies could not be told apart. Only hashes are
 * kept; one that is wrong costs a flow its source port and nothing else. Shared by all workers,
 * without locks: 131,072 tuples, the one that was quiet for longest in its line gives way.
 *
 * <pre>  line of 64 bytes = 8 tuples of 8 bytes: hash │ tick of a packet  </pre>
 */
public final class DirectTuples implements AutoCloseable {
  private static final int LINES = 1 << 14;
  private static final int LINE = 64;
  private static final int WORD = 8;

  /** Seconds within which a tuple in use is not written again. */
  private static final int REFRESH = Ticks.ofSeconds(4);

  private final NativeArea area = NativeArea.map("direct tuples", (long) LINES * LINE);
  private final long base = area.address();

  private long line(int hash) {
    return base + ((hash & 0xFFFF_FFFFL) * LINES >>> 32) * LINE;
  }

  /** Whether the tuple of this hash is in use; a packet of it passes at {@code now}. */
  public boolean uses(int hash, int now) {
    long line = line(hash);
    for (long at = line; at < line + LINE; at += WORD) {
      long word = Memory.getLong(at);
      if ((int) (word >>> 32) == hash && word != 0) {
        if (now - (int) word >= REFRESH) {
          Memory.putLong(at, word(hash, now));
        }
        return true;
      }
    }
    return false;
  }

  /** The same without a packet. */
  public boolean isUsed(int hash) {
    long line = line(hash);
    for (long at = line; at < line + LINE; at += WORD) {
      long word = Memory.getLong(at);
      if ((int) (word >>> 32) == hash && word != 0) {
        return true;
      }
    }
    return false;
  }

  /** From now on it is in use. */
  public void add(int hash, int now) {
    long line = line(hash);
    long quietest = line;
    int age = Integer.MIN_VALUE;
    for (long at = line; at < line + LINE; at += WORD) {
      long word = Memory.getLong(at);
      int its = word == 0 ? Integer.MAX_VALUE : now - (int) word;
      if (its > age) {
        age = its;
        quietest = at;
      }
    }
    Memory.putLong(quietest, word(hash, now));
  }

  /** Never 0, which is an empty place: a tick is 0 for a quarter of a second in 36 years. */
  private static long word(int hash, int now) {
    return (long) hash << 32 | (now == 0 ? 1 : now & 0xFFFF_FFFFL);
  }

  /** Gives the memory back; no worker may be running. */
  @Override
  public void close() {
    area.close();
  }
}
