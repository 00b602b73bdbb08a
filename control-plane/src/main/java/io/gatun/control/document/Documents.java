package io.gatun.control.document;

import io.gatun.control.document.Field.Kind;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.DocumentEndEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingEndEvent;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceEndEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Reads a YAML or JSON text, one tree per document; one thread, used once.
 *
 * <p>Works on the parser's flat events, not on its object composer: that one recurses as deep as
 * the text says and shares nodes between aliases, so paths could not be told.
 */
public final class Documents {
  /** Kubernetes objects are at most a dozen levels deep. */
  static final int MAX_DEPTH = 64;

  /** Values that aliases may copy: nobody's manifests need many; "a billion laughs" needs more. */
  static final int MAX_ALIASED = 100_000;

  /** Characters: 50,000 Services with their slices as kubectl prints them are about 120 million. */
  public static final int MAX_CHARACTERS = 512 << 20;

  /** YAML 1.2 core schema, chapter 10.3.2. */
  private static final Pattern NUMBER =
      Pattern.compile(
          "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");

  private final Iterator<Event> events;
  private final Map<String, Field> anchors = new HashMap<>();
  private int aliased;
  private boolean tooDeep;

  private Documents(String text) {
    LoadSettings settings = LoadSettings.builder().setCodePointLimit(MAX_CHARACTERS).build();
    events = new Parse(settings).parseReader(new StringReader(text)).iterator();
  }

  /**
   * The documents of {@code text}, empty ones left out.
   *
   * @throws FieldException naming the line, when it is no YAML or beyond the bounds
   */
  public static List<Field> read(String text) {
    return read(
        text,
        mistake -> {
          throw mistake;
        });
  }

  /**
   * The documents of {@code text} without those that are beyond the bounds (an alias of its own
   * anchor, a key twice, too deep), which {@code mistakes} is told of instead.
   *
   * @throws FieldException naming the line, when it is no YAML at all
   */
  public static List<Field> read(String text, Consumer<FieldException> mistakes) {
    try {
      return new Documents(spaced(text)).all(mistakes);
    } catch (MarkedYamlEngineException broken) {
      throw new FieldException(where(broken) + "not YAML: " + problem(broken));
    } catch (YamlEngineException broken) {
      throw new FieldException("not YAML: " + broken.getMessage());
    }
  }

  /** JSON may stand between tabs, which YAML takes for indentation; inside JSON strings is none. */
  private static String spaced(String text) {
    return text.stripLeading().startsWith("{") ? text.replace('\t', ' ') : text;
  }

  private static String where(MarkedYamlEngineException broken) {
    return broken
        .getProblemMark()
        .map(mark -> "line " + (mark.getLine() + 1) + ", column " + (mark.getColumn() + 1) + ": ")
        .orElse("");
  }

  private static String problem(MarkedYamlEngineException broken) {
    String context = broken.getContext();
    return context == null || context.isEmpty()
        ? broken.getProblem()
        : context + ", " + broken.getProblem();
  }

  private List<Field> all(Consumer<FieldException> mistakes) {
    List<Field> documents = new ArrayList<>();
    while (events.hasNext()) {
      if (events.next() instanceof DocumentStartEvent) {
        anchors.clear();
        try {
          Field document = value(events.next(), null, "", 0);
          if (document.present()) {
            documents.add(document);
          }
        } catch (FieldException mistake) {
          if (tooDeep) { // what follows may be deeper still, at the parser's expense
            throw mistake;
          }
          mistakes.accept(mistake);
          skipDocument();
        }
      }
    }
    return documents;
  }

  private void skipDocument() {
    while (events.hasNext() && !(events.next() instanceof DocumentEndEvent)) {
      // none of it is wanted
    }
  }

  private Field value(Event event, @Nullable Field parent, String name, int depth) {
    if (depth > MAX_DEPTH) {
      tooDeep = true;
      throw at(event, "nested deeper than " + MAX_DEPTH + " levels");
    }
    if (event instanceof AliasEvent alias) {
      Field anchored = anchors.get(alias.getAlias().getValue());
      if (anchored == null) {
        throw at(event, "alias of nothing: *" + alias.getAlias().getValue());
      }
      return copy(anchored, parent, name, event, depth);
    }
    Field value =
        switch (event) {
          case ScalarEvent scalar -> Field.scalar(parent, name, kind(scalar), scalar.getValue());
          case SequenceStartEvent _ -> list(parent, name, depth);
          case MappingStartEvent _ -> mapping(parent, name, depth);
          default -> throw at(event, "unexpected " + event.getEventId());
        };
    ((NodeEvent) event).getAnchor().ifPresent(anchor -> anchors.put(anchor.getValue(), value));
    return value;
  }

  private Field list(@Nullable Field parent, String name, int depth) {
    Field list = Field.container(parent, name, Kind.LIST);
    for (Event event = events.next(); !(event instanceof SequenceEndEvent); event = events.next()) {
      list.put(value(event, list, "", depth + 1));
    }
    return list;
  }

  private Field mapping(@Nullable Field parent, String name, int depth) {
    Field mapping = Field.container(parent, name, Kind.MAPPING);
    for (Event event = events.next(); !(event instanceof MappingEndEvent); event = events.next()) {
      if (!(event instanceof ScalarEvent key)) {
        throw at(event, "a key must be a plain word");
      }
      Field value = value(events.next(), mapping, key.getValue(), depth + 1);
      if (!mapping.put(value)) {
        throw at(event, value.path() + " is there twice");
      }
    }
    return mapping;
  }

  /** What an alias stands for, under its own path. */
  private Field copy(Field from, @Nullable Field parent, String name, Event event, int depth) {
    if (++aliased > MAX_ALIASED || depth > MAX_DEPTH) {
      throw at(event, "aliases stand for more than " + MAX_ALIASED + " values");
    }
    if (from.kind() == Kind.LIST) {
      Field list = Field.container(parent, name, Kind.LIST);
      from.items().forEach(i -> list.put(copy(i, list, "", event, depth + 1)));
      return list;
    }
    if (from.kind() == Kind.MAPPING) {
      Field mapping = Field.container(parent, name, Kind.MAPPING);
      from.entries().forEach((k, v) -> mapping.put(copy(v, mapping, k, event, depth + 1)));
      return mapping;
    }
    return Field.scalar(parent, name, from.kind(), from.scalar());
  }

  private static Kind kind(ScalarEvent scalar) {
    if (!scalar.isPlain() || scalar.getTag().isPresent()) {
      return Kind.TEXT;
    }
    String text = scalar.getValue();
    return switch (text) {
      case "", "~", "null", "Null", "NULL" -> Kind.NULL;
      case "true", "True", "TRUE", "false", "False", "FALSE" -> Kind.BOOLEAN;
      default -> NUMBER.matcher(text).matches() ? Kind.NUMBER : Kind.TEXT;
    };
  }

  private static FieldException at(Event event, String problem) {
    return new FieldException(
        event.getStartMark().map(mark -> "line " + (mark.getLine() + 1) + ": ").orElse("")
            + problem);
  }
}
