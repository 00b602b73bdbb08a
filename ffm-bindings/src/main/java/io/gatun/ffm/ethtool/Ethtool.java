package io.gatun.ffm.ethtool;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Asks and changes devices of the calling thread's network namespace, by name. Stateless. */
public final class Ethtool {
  private static final int SIOCETHTOOL = 0x8946;
  private static final int ETHTOOL_GTXCSUM = 0x16;
  private static final int ETHTOOL_STXCSUM = 0x17;
  private static final int ETHTOOL_GCHANNELS = 0x3c;

  // struct ifreq: name[16], then a pointer; 40 bytes
  private static final int IFREQ_BYTES = 40;
  private static final int IFREQ_DATA = 16;
  private static final int IFNAMSIZ = 16;

  // struct ethtool_channels: cmd, then max and then actual rx, tx, other, combined
  private static final int CHANNELS_BYTES = 36;
  private static final int MAX_RX = 4;
  private static final int MAX_COMBINED = 16;
  private static final int RX = 20;
  private static final int TX = 24;
  private static final int COMBINED = 32;

  private Ethtool() {}

  /** Queues in use; {@code combined} ones receive and send. */
  public record Channels(int rx, int tx, int combined, int maxRx, int maxCombined) {
    /** Queues a frame can arrive on, at least one. */
    public int receiving() {
      return Math.max(1, rx + combined);
    }
  }

  /** A device's queues; a device that cannot tell has one. */
  public static Channels channels(String device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment channels = arena.allocate(CHANNELS_BYTES, 4);
      channels.set(JAVA_INT, 0, ETHTOOL_GCHANNELS);
      int result = ioctl(arena, device, channels);
      if (result == -Errno.EOPNOTSUPP) {
        return new Channels(0, 0, 1, 0, 1);
      }
      NativeException.check(result, "ethtool -l " + device, "the device must exist");
      return new Channels(
          channels.get(JAVA_INT, RX),
          channels.get(JAVA_INT, TX),
          channels.get(JAVA_INT, COMBINED),
          channels.get(JAVA_INT, MAX_RX),
          channels.get(JAVA_INT, MAX_COMBINED));
    }
  }

  /** Whether senders on this device leave checksums to it. */
  public static boolean transmitChecksum(String device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocateFrom(JAVA_INT, ETHTOOL_GTXCSUM, 0);
      NativeException.check(
          ioctl(arena, device, value), "ethtool -k " + device, "the device must exist");
      return value.get(JAVA_INT, 4) != 0;
    }
  }

  /** {@code ethtool -K device tx on|off}; returns 0 or −errno. */
  public static int transmitChecksum(String device, boolean on) {
    try (Arena arena = Arena.ofConfined()) {
      return ioctl(arena, device, arena.allocateFrom(JAVA_INT, ETHTOOL_STXCSUM, on ? 1 : 0));
    }
  }

  private static int ioctl(Arena arena, String device, MemorySegment command) {
    byte[] name = device.getBytes(StandardCharsets.UTF_8);
    if (name.length == 0 || name.length >= IFNAMSIZ) {
      return -Errno.ENODEV;
    }
    MemorySegment request = arena.allocate(IFREQ_BYTES, 8);
    MemorySegment.copy(name, 0, request, JAVA_BYTE, 0, name.length);
    request.set(JAVA_LONG, IFREQ_DATA, command.address());
    int fd = Libc.socket(Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0);
    if (fd < 0) {
      return fd;
    }
    int result = Libc.ioctl(fd, SIOCETHTOOL, request.address());
    Libc.close(fd);
    return result;
  }
}
