package io.gatun.packet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.Memory;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class SctpTest {
  /** Beside the JDK's own CRC, which works on arrays; all lengths, any alignment. */
  @Test
  void shouldCompleteWithTheCrcOfTheWholePacket() {
    Random random = new Random(20261130);
    for (int length = Sctp.HEADER; length < 300; length++) {
      byte[] packet = new byte[length];
      random.nextBytes(packet);
      Arrays.fill(packet, Sctp.CHECKSUM, Sctp.HEADER, (byte) 0);
      CRC32C crc = new CRC32C();
      crc.update(packet);
      int expected = Integer.reverseBytes((int) crc.getValue());
      try (Frame frame = Frame.of(packet, random.nextInt(8))) {
        long at = frame.address();
        assertTrue(Sctp.isUndone(at));
        assertFalse(Sctp.isRight(at, length));
        assertEquals(0, Memory.getIntBe(at + Sctp.CHECKSUM), "looking must change nothing");
        Sctp.complete(at, length);
        assertEquals(expected, Memory.getIntBe(at + Sctp.CHECKSUM), "of " + length);
        assertTrue(Sctp.isRight(at, length));
        int spoilt = random.nextInt(length);
        Memory.putByte(at + spoilt, Memory.getByte(at + spoilt) ^ 1 << random.nextInt(8));
        assertFalse(Sctp.isRight(at, length));
      }
    }
  }
}
