package io.gatun.control.document;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Files of text, whole. */
public final class Texts {
  private Texts() {}

  /**
   * What {@code file} says.
   *
   * @throws FieldException when it is not there, no UTF-8 or beyond all reason
   */
  public static String read(Path file) {
    try {
      long bytes = Files.size(file);
      if (bytes > Documents.MAX_CHARACTERS) {
        throw new FieldException(
            "got " + bytes + " bytes, expected at most " + Documents.MAX_CHARACTERS);
      }
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
          .toString();
    } catch (CharacterCodingException e) {
      throw new FieldException("got bytes that are no text, expected UTF-8");
    } catch (IOException e) {
      throw new FieldException("cannot be read: " + reason(e));
    }
  }

  /** Why a file could not be used, in words. */
  public static String reason(IOException e) {
    return e instanceof NoSuchFileException ? "no such file" : String.valueOf(e.getMessage());
  }
}
