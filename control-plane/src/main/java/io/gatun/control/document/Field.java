package io.gatun.control.document;

import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One place in a document: what is there, and the path to it. Immutable once its document is read.
 *
 * <p>A place that the document leaves out is a Field too, {@link #present} false, so that readers
 * descend without asking; so is one that says {@code null}. Accessors with a fallback return it for
 * such places; those without report what is missing.
 */
public final class Field {
  /** What is there. */
  enum Kind {
    ABSENT,
    NULL,
    TEXT,
    NUMBER,
    BOOLEAN,
    LIST,
    MAPPING
  }

  /** A mapping with more entries than this has an index. */
  private static final int FEW = 16;

  private final @Nullable Field parent;
  private final String name;

  /** Its place in a list, by which an item is called; −1 in a mapping. */
  private final int index;

  private final Kind kind;
  private final String scalar;

  /** A list's items, a mapping's entries. */
  private final List<Field> children;

  private @Nullable Map<String, Field> byName;

  private Field(
      @Nullable Field parent, String name, Kind kind, String scalar, List<Field> children) {
    this.parent = parent;
    this.name = name;
    this.index = parent != null && parent.kind == Kind.LIST ? parent.children.size() : -1;
    this.kind = kind;
    this.scalar = scalar;
    this.children = children;
  }

  static Field absent(@Nullable Field parent, String name) {
    return scalar(parent, name, Kind.ABSENT, "");
  }

  /** {@code name} means nothing in a list, whose next item this will be; so with the others. */
  static Field scalar(@Nullable Field parent, String name, Kind kind, String scalar) {
    return new Field(parent, name, kind, scalar, List.of());
  }

  /** An empty list or mapping, which {@link #put} fills. */
  static Field container(@Nullable Field parent, String name, Kind kind) {
    return new Field(parent, name, kind, "", new ArrayList<>());
  }

  /** The next item or entry; false for a key that is there already. */
  boolean put(Field child) {
    if (kind == Kind.MAPPING) {
      if (entry(child.name) != null) {
        return false;
      }
      if (byName != null) {
        byName.put(child.name, child);
      } else if (children.size() == FEW) {
        byName = new HashMap<>();
        children.forEach(entry -> byName.put(entry.name, entry));
        byName.put(child.name, child);
      }
    }
    children.add(child);
    return true;
  }

  private @Nullable Field entry(String key) {
    if (byName != null) {
      return byName.get(key);
    }
    for (int i = 0; i < children.size(); i++) {
      if (children.get(i).name.equals(key)) {
        return children.get(i);
      }
    }
    return null;
  }

  Kind kind() {
    return kind;
  }

  String scalar() {
    return scalar;
  }

  /** The last step of the path: a key, or "[3]". */
  public String name() {
    return index < 0 ? name : "[" + index + "]";
  }

  /** From the document's root: {@code spec.ports[0].port}; the root's own path is empty. */
  public String path() {
    if (parent == null) {
      return name();
    }
    String before = parent.path();
    return before.isEmpty() || index >= 0 ? before + name() : before + "." + name();
  }

  /** Something other than null is there. */
  public boolean present() {
    return kind != Kind.ABSENT && kind != Kind.NULL;
  }

  /** The place under this one called {@code key}. */
  public Field at(String key) {
    requireMapping();
    Field found = entry(key);
    return found == null ? absent(this, key) : found;
  }

  /** Whether a mapping has {@code key}, be it null. */
  public boolean has(String key) {
    requireMapping();
    return entry(key) != null;
  }

  private void requireMapping() {
    if (present() && kind != Kind.MAPPING) {
      throw expected("a mapping");
    }
  }

  /** What a mapping holds, in its order; nothing when there is none. A copy. */
  public Map<String, Field> entries() {
    requireMapping();
    Map<String, Field> entries = new LinkedHashMap<>();
    children.forEach(entry -> entries.put(entry.name, entry));
    return entries;
  }

  /** What a list holds; nothing when there is none. */
  public List<Field> items() {
    if (present() && kind != Kind.LIST) {
      throw expected("a list");
    }
    return Collections.unmodifiableList(children);
  }

  /** The list, each item read by {@code reader}. */
  public <T> List<T> items(Function<Field, T> reader) {
    List<Field> items = items();
    if (items.isEmpty()) {
      return List.of();
    }
    List<T> read = new ArrayList<>(items.size());
    for (Field item : items) {
      read.add(reader.apply(item));
    }
    return List.copyOf(read);
  }

  public String text() {
    if (kind != Kind.TEXT) {
      throw expected(
          kind == Kind.NUMBER || kind == Kind.BOOLEAN ? "a string (put it in quotes)" : "a string");
    }
    return scalar;
  }

  public String text(String fallback) {
    return present() ? text() : fallback;
  }

  public boolean flag(boolean fallback) {
    if (!present()) {
      return fallback;
    }
    if (kind != Kind.BOOLEAN) {
      throw expected("true or false");
    }
    return Boolean.parseBoolean(scalar);
  }

  /** A whole number from {@code least} to {@code most}. */
  public long integer(long least, long most) {
    if (kind != Kind.NUMBER) {
      throw expected(range(least, most));
    }
    try {
      long value = isPlain(scalar) ? Long.parseLong(scalar) : decoded(scalar);
      if (value < least || value > most) {
        throw expected(range(least, most));
      }
      return value;
    } catch (NumberFormatException fractionOrTooLong) {
      throw expected(range(least, most));
    }
  }

  private static String range(long least, long most) {
    return least == Long.MIN_VALUE && most == Long.MAX_VALUE
        ? "an integer"
        : most == Long.MAX_VALUE
            ? "an integer of at least " + least
            : "an integer from " + least + " to " + most;
  }

  /** Decimal digits that begin with none that could mean another base: what there is mostly. */
  private static boolean isPlain(String number) {
    boolean plain = !number.isEmpty() && number.charAt(0) != '0';
    for (int i = 0; i < number.length() && plain; i++) {
      plain = number.charAt(i) >= '0' && number.charAt(i) <= '9';
    }
    return plain;
  }

  private static long decoded(String number) {
    return Long.decode(number.startsWith("0o") ? "0" + number.substring(2) : plain(number));
  }

  /**
   * Without the leading zeros that {@link Long#decode} would take for octal: YAML's are decimal.
   */
  private static String plain(String digits) {
    return digits.startsWith("0x") ? digits : digits.replaceFirst("^([-+]?)0+(?=[0-9])", "$1");
  }

  public long integer(long least, long most, long fallback) {
    return present() ? integer(least, most) : fallback;
  }

  /** A TCP or UDP port, 1 to 65535. */
  public int port() {
    return (int) integer(1, 65535);
  }

  /** Any finite number. */
  public double number(double fallback) {
    if (!present()) {
      return fallback;
    }
    if (kind != Kind.NUMBER) {
      throw expected("a number");
    }
    return Double.parseDouble(scalar);
  }

  /** One of {@code allowed}. */
  public String oneOf(String... allowed) {
    if (kind == Kind.TEXT && List.of(allowed).contains(scalar)) {
      return scalar;
    }
    throw expected(
        allowed.length == 1 ? "\"" + allowed[0] + "\"" : "one of " + String.join(", ", allowed));
  }

  /** One of {@code allowed}, among which may be true, false and numbers. */
  public String word(String... allowed) {
    if (kind == Kind.TEXT || kind == Kind.BOOLEAN || kind == Kind.NUMBER) {
      for (String word : allowed) {
        if (word.equals(scalar)) {
          return word;
        }
      }
    }
    throw expected("one of " + String.join(", ", allowed));
  }

  /** It is this text. */
  public boolean says(String text) {
    return kind == Kind.TEXT && scalar.equals(text);
  }

  /** It says no more than its absence would, as Go prints a zero value: "", 0, 0s, false, {}. */
  public boolean isZero() {
    return switch (kind) {
      case ABSENT, NULL -> true;
      case TEXT -> scalar.isEmpty() || scalar.equals("0s") || scalar.equals("0");
      case NUMBER -> scalar.matches("[-+0.]*");
      case BOOLEAN -> !Boolean.parseBoolean(scalar);
      case LIST, MAPPING -> children.stream().allMatch(Field::isZero);
    };
  }

  /** Text that {@code parser} understands (it returns null for what it does not). */
  public <T> T parsed(String expected, Function<String, @Nullable T> parser) {
    T value = kind == Kind.TEXT ? parser.apply(scalar) : null;
    if (value == null) {
      throw expected(expected);
    }
    return value;
  }

  /** A span of time like 5s or 1h30m, as Go writes it. */
  public Duration duration(Duration fallback) {
    if (kind == Kind.NUMBER && scalar.equals("0")) {
      return Duration.ZERO;
    }
    return present() ? parsed("a duration like 5s or 1h30m", Durations::parse) : fallback;
  }

  public InetAddress address() {
    return parsed("an IP address", Addresses::parse);
  }

  public Prefix prefix() {
    return parsed("a CIDR like 10.96.0.0/12", Prefix::parse);
  }

  /** What is wrong here, to be thrown. */
  public FieldException expected(String what) {
    return new FieldException(path(), got(), what);
  }

  private String got() {
    return switch (kind) {
      case ABSENT -> "nothing";
      case NULL -> "null";
      case LIST -> "a list";
      case MAPPING -> "a mapping";
      case NUMBER, BOOLEAN -> shortened();
      case TEXT -> "\"" + shortened() + "\"";
    };
  }

  private String shortened() {
    return scalar.length() <= 80 ? scalar : scalar.substring(0, 77) + "...";
  }

  @Override
  public String toString() {
    return path() + "=" + got();
  }
}
