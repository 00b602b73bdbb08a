package io.gatun.ffm.bpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.Syscall;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ffm.xdp.Xdp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * The commands of bpf(2). Stateless, safe for use by many threads; for the control side, not per
 * packet. What makes a map or program throws; everything else returns a value or −errno.
 */
public final class Bpf {
  public static final int MAP_TYPE_HASH = 1;
  public static final int MAP_TYPE_ARRAY = 2;
  public static final int MAP_TYPE_PERCPU_ARRAY = 6;
  public static final int MAP_TYPE_LPM_TRIE = 11;
  public static final int MAP_TYPE_XSKMAP = 17;

  /** Map flag: hash entries are allocated when used; an LPM trie must have it. */
  public static final int BPF_F_NO_PREALLOC = 1;

  /** Map flag: an array that {@link #mapArray} can map. */
  public static final int BPF_F_MMAPABLE = 1 << 10;

  public static final int BPF_ANY = 0;
  public static final int BPF_NOEXIST = 1;
  public static final int BPF_EXIST = 2;

  /** Program flag: takes frames of several buffers. */
  public static final int BPF_F_XDP_HAS_FRAGS = 32;

  // enum bpf_func_id
  public static final int FUNC_MAP_LOOKUP_ELEM = 1;
  public static final int FUNC_MAP_UPDATE_ELEM = 2;
  public static final int FUNC_KTIME_GET_NS = 5;
  public static final int FUNC_GET_PRANDOM_U32 = 7;
  public static final int FUNC_REDIRECT = 23;
  public static final int FUNC_REDIRECT_MAP = 51;

  /** Test-run flag: what the program redirects is really sent. */
  static final int BPF_F_TEST_XDP_LIVE_FRAMES = 2;

  static final int PROG_TYPE_XDP = 6;
  static final int ATTACH_TYPE_XDP = 37;

  // enum bpf_cmd
  static final int MAP_CREATE = 0;
  static final int MAP_LOOKUP_ELEM = 1;
  static final int MAP_UPDATE_ELEM = 2;
  static final int MAP_DELETE_ELEM = 3;
  static final int MAP_GET_NEXT_KEY = 4;
  static final int PROG_LOAD = 5;
  static final int OBJ_PIN = 6;
  static final int OBJ_GET = 7;
  static final int PROG_TEST_RUN = 10;
  static final int OBJ_GET_INFO_BY_FD = 15;
  static final int LINK_CREATE = 28;
  static final int LINK_UPDATE = 29;
  static final int LINK_DETACH = 34;

  /** Enough of union bpf_attr for every command here; the kernel takes the rest as zero. */
  static final int ATTR_BYTES = 128;

  // Offsets in union bpf_attr, by command.
  static final int MAP_TYPE = 0;
  static final int MAP_KEY_SIZE = 4;
  static final int MAP_VALUE_SIZE = 8;
  static final int MAP_MAX_ENTRIES = 12;
  static final int MAP_FLAGS = 16;
  static final int MAP_NAME = 28;
  static final int ELEM_MAP_FD = 0;
  static final int ELEM_KEY = 8;
  static final int ELEM_VALUE = 16;
  static final int ELEM_FLAGS = 24;
  static final int PROG_TYPE = 0;
  static final int PROG_INSN_CNT = 4;
  static final int PROG_INSNS = 8;
  static final int PROG_LICENSE = 16;
  static final int PROG_LOG_LEVEL = 24;
  static final int PROG_LOG_SIZE = 28;
  static final int PROG_LOG_BUF = 32;
  static final int PROG_FLAGS = 44;
  static final int PROG_NAME = 48;
  static final int PROG_EXPECTED_ATTACH_TYPE = 68;
  static final int OBJ_PATHNAME = 0;
  static final int OBJ_FD = 8;
  static final int TEST_PROG_FD = 0;
  static final int TEST_RETVAL = 4;
  static final int TEST_DATA_SIZE_IN = 8;
  static final int TEST_DATA_SIZE_OUT = 12;
  static final int TEST_DATA_IN = 16;
  static final int TEST_DATA_OUT = 24;
  static final int TEST_REPEAT = 32;
  static final int TEST_DURATION = 36;
  static final int TEST_CTX_SIZE_IN = 40;
  static final int TEST_CTX_IN = 48;
  static final int TEST_FLAGS = 64;
  static final int TEST_BATCH_SIZE = 72;
  static final int INFO_BPF_FD = 0;
  static final int INFO_LEN = 4;
  static final int INFO_INFO = 8;
  static final int LINK_PROG_FD = 0;
  static final int LINK_TARGET_IFINDEX = 4;
  static final int LINK_ATTACH_TYPE = 8;
  static final int LINK_FLAGS = 12;
  static final int LINK_UPDATE_LINK_FD = 0;
  static final int LINK_UPDATE_NEW_PROG_FD = 4;

  private static final int NAME_BYTES = 16;
  private static final int LOG_BYTES = 256 << 10;
  private static final int INFO_BYTES = 64;
  private static final String PRIVILEGE = "needs CAP_BPF and CAP_NET_ADMIN (or root)";

  private Bpf() {}

  /**
   * Makes a map; returns its descriptor.
   *
   * @param keySize bytes; 4 for arrays and XSKMAP
   * @param valueSize bytes; 4 for XSKMAP
   * @param name at most 15 bytes of [A-Za-z0-9_.]
   */
  public static int createMap(
      int type, int keySize, int valueSize, int maxEntries, int flags, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attr = attr(arena);
      attr.set(JAVA_INT, MAP_TYPE, type);
      attr.set(JAVA_INT, MAP_KEY_SIZE, keySize);
      attr.set(JAVA_INT, MAP_VALUE_SIZE, valueSize);
      attr.set(JAVA_INT, MAP_MAX_ENTRIES, maxEntries);
      attr.set(JAVA_INT, MAP_FLAGS, flags);
      putName(attr, MAP_NAME, name);
      return (int) NativeException.check(bpf(MAP_CREATE, attr), "create map " + name, PRIVILEGE);
    }
  }

  /** Maps the values of an array made with {@link #BPF_F_MMAPABLE}: entry i at i × value size. */
  public static NativeArea mapArray(String name, int fd, int valueSize, int maxEntries) {
    // kernel/bpf/arraymap.c: elements are rounded up to 8 bytes
    long bytes = ((valueSize + 7L) & -8) * maxEntries;
    return NativeArea.mapDescriptor(name, fd, 0, bytes);
  }

  /** Sets the value of a key; both are read at absolute addresses. */
  public static int update(int fd, long key, long value, int flags) {
    return element(MAP_UPDATE_ELEM, fd, key, value, flags);
  }

  /** Copies a key's value to {@code value}; −ENOENT when there is none. */
  public static int lookup(int fd, long key, long value) {
    return element(MAP_LOOKUP_ELEM, fd, key, value, 0);
  }

  public static int delete(int fd, long key) {
    return element(MAP_DELETE_ELEM, fd, key, 0, 0);
  }

  /** Writes the key after {@code key} (0: the first) to {@code next}; −ENOENT after the last. */
  public static int nextKey(int fd, long key, long next) {
    return element(MAP_GET_NEXT_KEY, fd, key, next, 0);
  }

  /** {@link #update} for maps from u32 to u32: arrays of ints, an XSKMAP's queue → socket. */
  public static int updateInt(int fd, int key, int value) {
    try (Arena arena = Arena.ofConfined()) {
      long memory = arena.allocateFrom(JAVA_INT, key, value).address();
      return update(fd, memory, memory + 4, BPF_ANY);
    }
  }

  /** {@link #delete} for maps with a u32 as key. */
  public static int deleteInt(int fd, int key) {
    try (Arena arena = Arena.ofConfined()) {
      return delete(fd, arena.allocateFrom(JAVA_INT, key).address());
    }
  }

  /** Sets element {@code key} of a map with keys of 8 bytes and values of 4. */
  public static int updateLong(int fd, long key, int value) {
    try (Arena arena = Arena.ofConfined()) {
      long at = arena.allocateFrom(JAVA_LONG, key).address();
      return update(fd, at, arena.allocateFrom(JAVA_INT, value).address(), BPF_ANY);
    }
  }

  /** Deletes element {@code key} of a map with keys of 8 bytes. */
  public static int deleteLong(int fd, long key) {
    try (Arena arena = Arena.ofConfined()) {
      return delete(fd, arena.allocateFrom(JAVA_LONG, key).address());
    }
  }

  /** All keys of a map whose keys have 8 bytes and which nobody else changes. */
  public static List<Long> longKeys(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(JAVA_LONG);
      List<Long> keys = new ArrayList<>();
      long at = 0;
      while (nextKey(fd, at, key.address()) == 0) {
        keys.add(key.get(JAVA_LONG, 0));
        at = key.address();
      }
      return keys;
    }
  }

  private static int element(int command, int fd, long key, long value, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attr = attr(arena);
      attr.set(JAVA_INT, ELEM_MAP_FD, fd);
      attr.set(JAVA_LONG, ELEM_KEY, key);
      attr.set(JAVA_LONG, ELEM_VALUE, value);
      attr.set(JAVA_LONG, ELEM_FLAGS, flags);
      return (int) bpf(command, attr);
    }
  }

  /**
   * Has the verifier check an XDP program and loads it; returns its descriptor.
   *
   * @param instructions address of {@code count} instructions of 8 bytes
   * @param flags 0 or {@link #BPF_F_XDP_HAS_FRAGS}
   * @throws NativeException with what the verifier said
   */
  public static int loadXdp(long instructions, int count, String name, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attr = attr(arena);
      attr.set(JAVA_INT, PROG_TYPE, PROG_TYPE_XDP);
      attr.set(JAVA_INT, PROG_INSN_CNT, count);
      attr.set(JAVA_LONG, PROG_INSNS, instructions);
      attr.set(JAVA_LONG, PROG_LICENSE, arena.allocateFrom("Dual BSD/GPL").address());
      attr.set(JAVA_INT, PROG_FLAGS, flags);
      putName(attr, PROG_NAME, name);
      attr.set(JAVA_INT, PROG_EXPECTED_ATTACH_TYPE, ATTACH_TYPE_XDP);
      long fd = bpf(PROG_LOAD, attr);
      if (fd >= 0) {
        return (int) fd;
      }
      // Once more with a log: asking for it the first time would cost every good load its price.
      MemorySegment log = arena.allocate(LOG_BYTES);
      attr.set(JAVA_INT, PROG_LOG_LEVEL, 1);
      attr.set(JAVA_INT, PROG_LOG_SIZE, LOG_BYTES);
      attr.set(JAVA_LONG, PROG_LOG_BUF, log.address());
      long again = bpf(PROG_LOAD, attr);
      if (again >= 0) {
        return (int) again;
      }
      String said = log.getString(0).strip();
      throw new NativeException(
          "load XDP program " + name, fd, said.isEmpty() ? PRIVILEGE : "the verifier:\n" + said);
    }
  }

  /** {@link #loadXdp(long, int, String, int)} of what has been assembled. */
  public static int loadXdp(BpfAssembler program, String name, int flags) {
    try (NativeArea area = NativeArea.map(name, Math.max(8L, 8L * program.count()))) {
      return loadXdp(area.address(), program.writeTo(area.address()), name, flags);
    }
  }

  /**
   * Attaches a program to a device; returns the link's descriptor, which holds the attachment, or
   * −errno: EBUSY (another link is there), EEXIST (a program in another mode), EOPNOTSUPP (no
   * native mode), ENOSPC and ERANGE (veth: fewer queues than the peer, an MTU too large without
   * frags).
   *
   * @param flags {@link Xdp#XDP_FLAGS_DRV_MODE}, {@link Xdp#XDP_FLAGS_SKB_MODE}, or 0 for the best
   */
  public static int createXdpLink(int programFd, int ifIndex, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attr = attr(arena);
      attr.set(JAVA_INT, LINK_PROG_FD, programFd);
      attr.set(JAVA_INT, LINK_TARGET_IFINDEX, ifIndex);
      attr.set(JAVA_INT, LINK_ATTACH_TYPE, ATTACH_TYPE_XDP);
      attr.set(JAVA_INT, LINK_FLAGS, flags);
      return (int) bpf(LINK_CREATE, attr);
    }
  }

  /** Puts another program behind a link, between two packets. */
  public static int updateLink(int linkFd, int programFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attr = attr(arena);
      attr.set(JAVA_INT, LINK_UPDATE_LINK_FD, linkFd);
      attr.set(JAVA_INT, LINK_UPDATE_NEW_PROG_FD, programFd);
      return (int) bpf(LINK_UPDATE, attr);
    }
  }

  /** Ends the attachment even where pins or other descriptors still hold the link. */
  public static int detachLink(int linkFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attr = attr(arena);
      attr.set(JAVA_INT, LINK_UPDATE_LINK_FD, linkFd);
      return (int) bpf(LINK_DETACH, attr);
    }
  }

  /** Gives a map, program or link a name in a bpffs; removing the file unpins it. */
  public static int pin(int fd, String path) {
    return object(OBJ_PIN, fd, path);
  }

  /** A descriptor for what is pinned at {@code path}, or −errno. */
  public static int get(String path) {
    return object(OBJ_GET, 0, path);
  }

  private static int object(int command, int fd, String path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attr = attr(arena);
      attr.set(JAVA_LONG, OBJ_PATHNAME, arena.allocateFrom(path).address());
      attr.set(JAVA_INT, OBJ_FD, fd);
      return (int) bpf(command, attr);
    }
  }

  /** Mounts a bpffs at {@code directory}, which exists. */
  public static int mountBpffs(String directory) {
    return Libc.mount("bpf", directory, "bpf", 0, "mode=0700");
  }

  /** Outcome of a test run: verdict, length of the packet afterwards, ns of one run (average). */
  public record TestRun(int verdict, int length, int nanos) {}

  /**
   * Runs a program on a packet, without a device.
   *
   * @param in address of the packet, at least 14 bytes
   * @param out where the packet goes afterwards; 0 if it does not matter
   * @param repeat how often, for measuring; 1 otherwise
   */
  public static TestRun testRun(
      int programFd, long in, int inLength, long out, int outCapacity, int repeat) {
    return testRun(programFd, in, inLength, out, outCapacity, repeat, 0, 0);
  }

  /** As above, as if received on {@code queue} of device {@code ifIndex} (0: none). */
  public static TestRun testRun(
      int programFd,
      long in,
      int inLength,
      long out,
      int outCapacity,
      int repeat,
      int ifIndex,
      int queue) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attr = attr(arena);
      attr.set(JAVA_INT, TEST_PROG_FD, programFd);
      attr.set(JAVA_INT, TEST_DATA_SIZE_IN, inLength);
      attr.set(JAVA_LONG, TEST_DATA_IN, in);
      attr.set(JAVA_INT, TEST_DATA_SIZE_OUT, out == 0 ? 0 : outCapacity);
      attr.set(JAVA_LONG, TEST_DATA_OUT, out);
      attr.set(JAVA_INT, TEST_REPEAT, repeat);
      if (ifIndex != 0) {
        MemorySegment context = arena.allocate(Xdp.MD_BYTES, 8);
        context.set(JAVA_INT, Xdp.MD_DATA_END, inLength);
        context.set(JAVA_INT, Xdp.MD_INGRESS_IFINDEX, ifIndex);
        context.set(JAVA_INT, Xdp.MD_RX_QUEUE_INDEX, queue);
        attr.set(JAVA_INT, TEST_CTX_SIZE_IN, Xdp.MD_BYTES);
        attr.set(JAVA_LONG, TEST_CTX_IN, context.address());
      }
      NativeException.check(
          bpf(PROG_TEST_RUN, attr),
          "run XDP program",
          "packets have 14 bytes or more; the device and queue must exist");
      return new TestRun(
          attr.get(JAVA_INT, TEST_RETVAL),
          attr.get(JAVA_INT, TEST_DATA_SIZE_OUT),
          attr.get(JAVA_INT, TEST_DURATION));
    }
  }

  /**
   * Sends {@code count} frames into devices of the calling thread's network namespace: the program
   * writes each and redirects it ({@link #FUNC_REDIRECT}). The fastest source of packets that the
   * kernel has (5.18): no socket buffers. Returns 0 or −errno.
   *
   * @param template address of the frame that the program finds the first time; afterwards it finds
   *     what became of one of its frames, so it has to write every byte that matters
   * @param batch how many frames are sent at once, at most 256
   */
  public static int sendLive(int programFd, long template, int length, int count, int batch) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attr = attr(arena);
      attr.set(JAVA_INT, TEST_PROG_FD, programFd);
      attr.set(JAVA_INT, TEST_DATA_SIZE_IN, length);
      attr.set(JAVA_LONG, TEST_DATA_IN, template);
      attr.set(JAVA_INT, TEST_REPEAT, count);
      attr.set(JAVA_INT, TEST_FLAGS, BPF_F_TEST_XDP_LIVE_FRAMES);
      attr.set(JAVA_INT, TEST_BATCH_SIZE, batch);
      return (int) bpf(PROG_TEST_RUN, attr);
    }
  }

  /** The kernel's id of a map, program or link, or −errno; the same for every descriptor of it. */
  public static int infoId(int fd) {
    return infoInt(fd, 4);
  }

  /** The id of the program behind a link, or −errno. */
  public static int linkProgramId(int linkFd) {
    return infoInt(linkFd, 8);
  }

  /** The device an XDP link is attached to, 0 when it has been detached or the device has gone. */
  public static int linkIfIndex(int linkFd) {
    return infoInt(linkFd, 16);
  }

  private static int infoInt(int fd, int offset) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(INFO_BYTES, 8);
      int result = info(arena, fd, info);
      return result < 0 ? result : info.get(JAVA_INT, offset);
    }
  }

  /** What a map was made with: to see whether a pinned one is the one we mean. */
  public record MapInfo(
      int type, int id, int keySize, int valueSize, int maxEntries, int flags, String name) {}

  public static MapInfo mapInfo(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(INFO_BYTES, 8);
      NativeException.check(info(arena, fd, info), "info of map", "the descriptor must be a map's");
      return new MapInfo(
          info.get(JAVA_INT, 0),
          info.get(JAVA_INT, 4),
          info.get(JAVA_INT, 8),
          info.get(JAVA_INT, 12),
          info.get(JAVA_INT, 16),
          info.get(JAVA_INT, 20),
          info.getString(24));
    }
  }

  /** The kernel's hash of a program's instructions, 16 hexadecimal digits: equal for equal code. */
  public static String tag(int programFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(INFO_BYTES, 8);
      NativeException.check(
          info(arena, programFd, info), "info of program", "the descriptor must be a program's");
      return HexFormat.of().formatHex(info.asSlice(8, 8).toArray(JAVA_BYTE));
    }
  }

  private static int info(Arena arena, int fd, MemorySegment info) {
    MemorySegment attr = attr(arena);
    attr.set(JAVA_INT, INFO_BPF_FD, fd);
    attr.set(JAVA_INT, INFO_LEN, (int) info.byteSize());
    attr.set(JAVA_LONG, INFO_INFO, info.address());
    return (int) bpf(OBJ_GET_INFO_BY_FD, attr);
  }

  private static MemorySegment attr(Arena arena) {
    return arena.allocate(ATTR_BYTES, 8);
  }

  private static void putName(MemorySegment attr, int offset, String name) {
    byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
    if (bytes.length >= NAME_BYTES) {
      throw new IllegalArgumentException("BPF name longer than 15 bytes: " + name);
    }
    MemorySegment.copy(bytes, 0, attr, JAVA_BYTE, offset, bytes.length);
  }

  private static long bpf(int command, MemorySegment attr) {
    long result;
    do {
      result = Syscall.call(Syscall.BPF, command, attr.address(), ATTR_BYTES, 0, 0, 0);
      // The verifier gives way to signals with EAGAIN; libbpf tries again as well.
    } while (command == PROG_LOAD && result == -Errno.EAGAIN);
    return result;
  }
}
