package io.gatun.ffm.btf;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Structs, unions and enumerators of a BTF blob (Documentation/bpf/btf.rst). Immutable. */
public final class Btf {
  private static final Path KERNEL = Path.of("/sys/kernel/btf/vmlinux");
  private static final int MAGIC = 0xEB9F;
  private static final int INT = 1;
  private static final int ARRAY = 3;
  private static final int STRUCT = 4;
  private static final int UNION = 5;
  private static final int ENUM = 6;
  private static final int FUNC_PROTO = 13;
  private static final int VAR = 14;
  private static final int DATASEC = 15;
  private static final int DECL_TAG = 17;
  private static final int ENUM64 = 19;

  private record Member(String name, int type, int bits) {}

  private record Struct(int size, List<Member> members) {}

  private final Map<String, Struct> named = new HashMap<>();
  private final Map<Integer, Struct> byId = new HashMap<>();
  private final Map<String, Integer> enumerators = new HashMap<>();
  private final ByteBuffer in;
  private final int strings;

  private Btf(byte[] bytes) {
    in = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    if ((in.getShort(0) & 0xFFFF) != MAGIC) {
      throw new IllegalArgumentException("not BTF");
    }
    int header = in.getInt(4);
    int types = header + in.getInt(8);
    strings = header + in.getInt(16);
    in.position(types);
    int end = types + in.getInt(12);
    for (int id = 1; in.position() < end; id++) {
      type(id);
    }
  }

  /** The running kernel's; skips the test where there is none. */
  public static Btf ofKernel() throws IOException {
    assumeTrue(Files.isReadable(KERNEL), "skipped: this kernel has no " + KERNEL);
    try (InputStream file = Files.newInputStream(KERNEL)) {
      return new Btf(file.readAllBytes());
    }
  }

  private void type(int id) {
    String name = string(in.getInt());
    int info = in.getInt();
    int size = in.getInt();
    int count = info & 0xFFFF;
    switch (info >>> 24 & 0x1F) {
      case INT, VAR, DECL_TAG -> skip(4);
      case ARRAY -> skip(12);
      case FUNC_PROTO -> skip(8 * count);
      case DATASEC -> skip(12 * count);
      case STRUCT, UNION -> struct(id, name, size, count, info < 0);
      case ENUM -> enumerators(count, 4);
      case ENUM64 -> enumerators(count, 8);
      default -> {}
    }
  }

  private void struct(int id, String name, int size, int count, boolean bitFields) {
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String member = string(in.getInt());
      int type = in.getInt();
      int bits = in.getInt();
      members.add(new Member(member, type, bitFields ? bits & 0xFFFFFF : bits));
    }
    Struct struct = new Struct(size, members);
    byId.put(id, struct);
    if (!name.isEmpty()) {
      named.putIfAbsent(name, struct);
    }
  }

  private void enumerators(int count, int bytes) {
    for (int i = 0; i < count; i++) {
      String name = string(in.getInt());
      enumerators.putIfAbsent(name, in.getInt());
      skip(bytes - 4);
    }
  }

  private void skip(int bytes) {
    in.position(in.position() + bytes);
  }

  private String string(int offset) {
    int start = strings + offset;
    int end = start;
    while (in.get(end) != 0) {
      end++;
    }
    return new String(in.array(), start, end - start, StandardCharsets.UTF_8);
  }

  public boolean has(String struct) {
    return named.containsKey(struct);
  }

  /** Bytes of a struct or union. */
  public int size(String struct) {
    return find(struct).size;
  }

  /**
   * Bytes before a member; {@code a.b} is member b of member a, anonymous members are seen through.
   */
  public int offset(String struct, String path) {
    Struct at = find(struct);
    int bits = 0;
    for (String name : path.split("\\.", -1)) {
      List<Member> found = new ArrayList<>();
      int within = search(at, name, 0, found);
      if (found.isEmpty()) {
        throw new IllegalArgumentException("no " + path + " in " + struct);
      }
      bits += within;
      at = byId.getOrDefault(found.getFirst().type, at);
    }
    return bits / 8;
  }

  private int search(Struct struct, String name, int bits, List<Member> found) {
    for (Member member : struct.members) {
      if (member.name.equals(name)) {
        found.add(member);
        return bits + member.bits;
      }
      Struct inner = byId.get(member.type);
      if (member.name.isEmpty() && inner != null) {
        int at = search(inner, name, bits + member.bits, found);
        if (!found.isEmpty()) {
          return at;
        }
      }
    }
    return 0;
  }

  /** The value of an enumerator. */
  public int enumerator(String name) {
    Integer value = enumerators.get(name);
    if (value == null) {
      throw new IllegalArgumentException("no enumerator " + name);
    }
    return value;
  }

  private Struct find(String name) {
    Struct struct = named.get(name);
    if (struct == null) {
      throw new IllegalArgumentException("no struct " + name);
    }
    return struct;
  }
}
