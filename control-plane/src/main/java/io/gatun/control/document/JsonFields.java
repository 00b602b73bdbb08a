package io.gatun.control.document;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.gatun.control.document.Field.Kind;
import java.io.IOException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The same trees as {@link Documents} makes, from JSON and value by value: what an API server sends
 * is a stream of values, or one that is too large to hold. Thread safe.
 */
public final class JsonFields {
  /**
   * Large, and of interest to nobody here: who wrote which field, who owns an object, which pod an
   * endpoint is, a node's images.
   */
  private static final Set<String> PASSED_OVER =
      Set.of("managedFields", "ownerReferences", "targetRef", "images");

  private JsonFields() {}

  /**
   * The value that begins at the parser's present token; afterwards that is the value's last one.
   *
   * @throws FieldException when it is beyond the bounds, a key is there twice
   * @throws IOException when it is no JSON, or ends in the middle
   */
  public static Field read(JsonParser parser) throws IOException {
    return value(parser, null, "", 0);
  }

  private static Field value(JsonParser parser, @Nullable Field parent, String name, int depth)
      throws IOException {
    if (depth > Documents.MAX_DEPTH) {
      throw new FieldException("nested deeper than " + Documents.MAX_DEPTH + " levels");
    }
    JsonToken token = parser.currentToken();
    return switch (token) {
      case START_OBJECT -> mapping(parser, parent, name, depth);
      case START_ARRAY -> list(parser, parent, name, depth);
      case VALUE_STRING -> Field.scalar(parent, name, Kind.TEXT, parser.getText());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT ->
          Field.scalar(parent, name, Kind.NUMBER, parser.getText());
      case VALUE_TRUE, VALUE_FALSE -> Field.scalar(parent, name, Kind.BOOLEAN, parser.getText());
      case VALUE_NULL -> Field.scalar(parent, name, Kind.NULL, "");
      case null, default -> throw new FieldException("not JSON: unexpected " + token);
    };
  }

  private static Field mapping(JsonParser parser, @Nullable Field parent, String name, int depth)
      throws IOException {
    Field mapping = Field.container(parent, name, Kind.MAPPING);
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      parser.nextToken();
      if (PASSED_OVER.contains(key)) {
        parser.skipChildren();
      } else if (!mapping.put(value(parser, mapping, key, depth + 1))) {
        throw new FieldException(key + " is there twice");
      }
    }
    return mapping;
  }

  private static Field list(JsonParser parser, @Nullable Field parent, String name, int depth)
      throws IOException {
    Field list = Field.container(parent, name, Kind.LIST);
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      list.put(value(parser, list, "", depth + 1));
    }
    return list;
  }
}
