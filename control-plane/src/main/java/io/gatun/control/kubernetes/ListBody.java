package io.gatun.control.kubernetes;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.gatun.control.document.Field;
import io.gatun.control.document.JsonFields;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.Consumer;

/**
 * What an API server answers to a list, read object by object: a list of a hundred megabytes is
 * never held.
 */
public final class ListBody {
  private static final JsonFactory JSON = new JsonFactory();

  private ListBody() {}

  /**
   * What a list says of itself.
   *
   * @param version where a watch begins
   * @param next asks for its next piece; empty when this is the last
   */
  public record Page(String version, String next) {}

  /**
   * Gives every item to {@code items}, in order.
   *
   * @throws IOException when it ends in the middle, or is no list
   */
  public static Page read(InputStream body, Consumer<Field> items) throws IOException {
    String version = "";
    String next = "";
    boolean any = false;
    try (JsonParser parser = JSON.createParser(body)) {
      expect(parser.nextToken() == JsonToken.START_OBJECT, "a list");
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        if (parser.currentToken() == null) {
          throw new EOFException("the list ended in the middle");
        }
        String key = parser.currentName();
        JsonToken value = parser.nextToken();
        if (key.equals("metadata")) {
          Field metadata = JsonFields.read(parser);
          version = metadata.at("resourceVersion").text("");
          next = metadata.at("continue").text("");
        } else if (key.equals("items")) {
          any = true;
          while (value == JsonToken.START_ARRAY && parser.nextToken() != JsonToken.END_ARRAY) {
            items.accept(JsonFields.read(parser));
          }
        } else {
          parser.skipChildren();
        }
      }
    }
    expect(any && !version.isEmpty(), "a list with items and a resourceVersion");
    return new Page(version, next);
  }

  private static void expect(boolean holds, String what) throws IOException {
    if (!holds) {
      throw new IOException("got another answer, expected " + what);
    }
  }
}
