package io.gatun.packet;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Good frames, spoiled at random: bytes changed, cut off, put in from another frame. One thread.
 *
 * <p>{@code -Dgatun.fuzz.seed} repeats a run; {@code -Dgatun.fuzz.frames}, or {@code -Dgatun.long}
 * for 10 million, makes it longer.
 */
public final class Mutations {
  /** Longest frame that comes out. */
  public static final int MOST = 2_000;

  private static final int LONG = 10_000_000;

  private final List<byte[]> corpus;
  private final long seed = Long.getLong("gatun.fuzz.seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);

  public Mutations(List<byte[]> corpus) {
    this.corpus = List.copyOf(corpus);
  }

  /** How many frames a test is to send: {@code usual}, unless a property says otherwise. */
  public static int frames(int usual) {
    return Integer.getInteger("gatun.fuzz.frames", Boolean.getBoolean("gatun.long") ? LONG : usual);
  }

  /** To be printed: with it a run can be repeated. */
  public long seed() {
    return seed;
  }

  /** For what else is left to chance. */
  public SplittableRandom random() {
    return random;
  }

  /** One to four changes; half the time the IPv4 header checksum is put right afterwards. */
  public byte[] next() {
    byte[] frame = corpus.get(random.nextInt(corpus.size())).clone();
    for (int changes = random.nextInt(1, 5); changes > 0 && frame.length > 0; changes--) {
      // Headers are where it matters: the first 100 bytes get most of the changes.
      int at = random.nextInt(random.nextInt(4) == 0 ? frame.length : Math.min(100, frame.length));
      switch (random.nextInt(8)) {
        case 0 -> frame[at] = (byte) random.nextInt();
        case 1 -> frame[at] = 0;
        case 2 -> frame[at] = (byte) 0xFF;
        case 3 -> frame[at]++;
        case 4 -> frame[at]--;
        case 5 -> frame[at] ^= (byte) (1 << random.nextInt(8));
        case 6 -> frame = Arrays.copyOf(frame, at);
        default -> frame = spliced(frame, at);
      }
    }
    if (random.nextBoolean()) {
      repairIpv4Checksum(frame);
    }
    return frame;
  }

  /** Up to 40 bytes of another frame put in at {@code at}. */
  private byte[] spliced(byte[] frame, int at) {
    byte[] other = corpus.get(random.nextInt(corpus.size()));
    if (other.length == 0) {
      return frame;
    }
    int from = random.nextInt(other.length);
    int count = Math.min(random.nextInt(40), other.length - from);
    count = Math.min(count, MOST - frame.length);
    byte[] longer = new byte[frame.length + count];
    System.arraycopy(frame, 0, longer, 0, at);
    System.arraycopy(other, from, longer, at, count);
    System.arraycopy(frame, at, longer, at + count, frame.length - at);
    return longer;
  }

  /** Makes the IPv4 header checksum right, where there is one: else little gets beyond it. */
  public static void repairIpv4Checksum(byte[] frame) {
    int l3 = 14;
    while (l3 < 22 && l3 <= frame.length && frame[l3 - 2] != 8) {
      l3 += 4;
    }
    if (frame.length < l3 + 20) {
      return;
    }
    int header = Math.min((frame[l3] & 15) * 4, frame.length - l3);
    if (header < 20) {
      return;
    }
    frame[l3 + 10] = 0;
    frame[l3 + 11] = 0;
    int sum = 0;
    for (int i = 0; i < header; i++) {
      sum += (frame[l3 + i] & 0xFF) << (i % 2 == 0 ? 8 : 0);
    }
    sum = (sum & 0xFFFF) + (sum >>> 16);
    sum = ~((sum & 0xFFFF) + (sum >>> 16));
    frame[l3 + 10] = (byte) (sum >>> 8);
    frame[l3 + 11] = (byte) sum;
  }
}
