package io.gatun.control.document;

import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
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

  private final @Nullable Field parent;
  private final String name;
  private final Kind kind;
  private final String scalar;
  private final List<Field> items;
  private final Map<String, Field> entries;

  private Field(
      @Nullable Field parent,
      String name,
      Kind kind,
      String scalar,
      List<Field> items,
      Map<String, Field> entries) {
    this.parent = parent;
    this.name = name;
    this.kind = kind;
    this.scalar = scalar;
    this.items = items;
    this.entries = entries;
  }

  static Field absent(@Nullable Field parent, String name) {
    return scalar(parent, name, Kind.ABSENT, "");
  }

  static Field scalar(@Nullable Field parent, String name, Kind kind, String scalar) {
    return new Field(parent, name, kind, scalar, List.of(), Map.of());
  }

  static Field list(@Nullable Field parent, String name, List<Field> items) {
    return new Field(parent, name, Kind.LIST, "", items, Map.of());
  }

  static Field mapping(@Nullable Field parent, String name, Map<String, Field> entries) {
    return new Field(parent, name, Kind.MAPPING, "", List.of(), entries);
  }

  Kind kind() {
    return kind;
  }

  String scalar() {
    return scalar;
  }

  /** The last step of the path: a key, or "[3]". */
  public String name() {
    return name;
  }

  /** From the document's root: {@code spec.ports[0].port}; the root's own path is empty. */
  public String path() {
    if (parent == null) {
      return name;
    }
    String before = parent.path();
    return before.isEmpty() || name.startsWith("[") ? before + name : before + "." + name;
  }

  /** Something other than null is there. */
  public boolean present() {
    return kind != Kind.ABSENT && kind != Kind.NULL;
  }

  /** The place under this one called {@code key}. */
  public Field at(String key) {
    Field found = entries().get(key);
    return found == null ? absent(this, key) : found;
  }

  /** What a mapping holds, in its order; nothing when there is none. */
  public Map<String, Field> entries() {
    if (present() && kind != Kind.MAPPING) {
      throw expected("a mapping");
    }
    return entries;
  }

  /** What a list holds; nothing when there is none. */
  public List<Field> items() {
    if (present() && kind != Kind.LIST) {
      throw expected("a list");
    }
    return items;
  }

  /** The list, each item read by {@code reader}. */
  public <T> List<T> items(Function<Field, T> reader) {
    List<T> read = new ArrayList<>(items().size());
    for (Field item : items()) {
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
    String range =
        least == Long.MIN_VALUE && most == Long.MAX_VALUE
            ? "an integer"
            : most == Long.MAX_VALUE
                ? "an integer of at least " + least
                : "an integer from " + least + " to " + most;
    if (kind != Kind.NUMBER) {
      throw expected(range);
    }
    try {
      long value = Long.decode(scalar.startsWith("0o") ? "0" + scalar.substring(2) : plain(scalar));
      if (value < least || value > most) {
        throw expected(range);
      }
      return value;
    } catch (NumberFormatException fractionOrTooLong) {
      throw expected(range);
    }
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
      case LIST -> items.stream().allMatch(Field::isZero);
      case MAPPING -> entries.values().stream().allMatch(Field::isZero);
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
