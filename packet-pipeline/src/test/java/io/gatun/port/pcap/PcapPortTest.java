package io.gatun.port.pcap;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.NativeArea;
import io.gatun.pipeline.PacketVector;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PcapPortTest {
  private static final int FRAMES = 512;

  @TempDir Path dir;
  private final NativeArea area = NativeArea.map("pcap test", (long) FRAMES * FrameDepot.CHUNK);
  private final FrameDepot depot = new FrameDepot(area.address(), FrameDepot.CHUNK, FRAMES);
  private final FramePool pool = new FramePool(depot);
  private final PacketVector v = new PacketVector();

  @AfterEach
  void unmap() {
    area.close();
  }

  private static byte[] frame(int n) {
    byte[] bytes = new byte[60 + n];
    java.util.Arrays.fill(bytes, (byte) n);
    return bytes;
  }

  private Path file(byte[] bytes) throws IOException {
    Path file = dir.resolve("in.pcap");
    Files.write(file, bytes);
    return file;
  }

  @Test
  void shouldSendWhatItReceived() throws IOException {
    Path in = dir.resolve("in.pcap");
    Path out = dir.resolve("out.pcap");
    try (PcapWriter writer = new PcapWriter(in)) {
      for (int i = 0; i < 3; i++) {
        writer.write(frame(i), 1_500_000_000_123_456_789L + i);
      }
    }
    try (PcapPort port = new PcapPort(1, "pcap", pool, in, out)) {
      assertEquals(2, port.rx(v, 2));
      assertEquals(1, port.rx(v, 256));
      for (int i = 0; i < 3; i++) {
        assertTrue(port.tx(v, i));
      }
      assertEquals(3, port.reclaim());
      assertTrue(port.exhausted());
      assertNull(port.failure());
    }
    try (PcapReader reader = new PcapReader(out)) {
      byte[] record = new byte[2048];
      for (int i = 0; i < 3; i++) {
        int bytes = reader.next(record);
        assertArrayEquals(frame(i), java.util.Arrays.copyOf(record, bytes));
      }
      assertEquals(PcapReader.END, reader.next(record));
    }
    pool.close();
    assertEquals(FRAMES, depot.available());
  }

  @Test
  void shouldReadEitherByteOrderAndResolution() throws IOException {
    ByteBuffer big = ByteBuffer.allocate(24 + 16 + 4).order(ByteOrder.BIG_ENDIAN);
    big.putInt(0xA1B2C3D4).putShort((short) 2).putShort((short) 4).putLong(0).putInt(65535);
    big.putInt(1).putInt(7).putInt(5).putInt(4).putInt(4).putInt(0xCAFEBABE);
    try (PcapReader reader = new PcapReader(file(big.array()))) {
      byte[] record = new byte[16];
      assertEquals(4, reader.next(record));
      assertEquals((byte) 0xCA, record[0]);
      assertEquals(7_000_005_000L, reader.nanoseconds());
    }
  }

  @Test
  void shouldEndAtALengthThatLiesAndSayWhere() throws IOException {
    for (int length : new int[] {-1, 2000, 1_000_000, 61}) {
      Path in = dir.resolve("in.pcap");
      try (PcapWriter writer = new PcapWriter(in)) {
        writer.write(frame(0), 0);
        writer.write(frame(0), 0);
      }
      byte[] bytes = Files.readAllBytes(in);
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(24 + 16 + 60 + 8, length);
      Files.write(in, bytes);
      v.size = 0;
      try (PcapPort port = new PcapPort(1, "pcap", pool, in, null)) {
        assertEquals(1, port.rx(v, 256));
        String failure = port.failure();
        assertNotNull(failure);
        assertTrue(failure.contains("record 2"), failure);
        assertEquals(0, port.rx(v, 256));
      }
      pool.give(v.frame[0]);
    }
    pool.close();
    assertEquals(FRAMES, depot.available());
  }

  @Test
  void shouldRefuseEveryFileCutShort() throws IOException {
    Path in = dir.resolve("in.pcap");
    try (PcapWriter writer = new PcapWriter(in)) {
      writer.write(frame(0), 0);
    }
    byte[] whole = Files.readAllBytes(in);
    byte[] record = new byte[2048];
    for (int length = 0; length < whole.length; length++) {
      Path cut = file(java.util.Arrays.copyOf(whole, length));
      if (length < 24) {
        assertThrows(IOException.class, () -> new PcapReader(cut));
      } else if (length > 24) {
        try (PcapReader reader = new PcapReader(cut)) {
          assertThrows(IOException.class, () -> reader.next(record));
        }
      }
    }
  }
}
