package io.gatun.control.document;

/** A document does not say what its reader needs. The message is one sentence, without the file. */
public final class FieldException extends RuntimeException {
  public FieldException(String sentence) {
    super(sentence.replaceAll("\\s*\\R\\s*", " "), null, false, false);
  }

  public FieldException(String path, String got, String expected) {
    this((path.isEmpty() ? "" : path + ": ") + "got " + got + ", expected " + expected);
  }

  /** The sentence. */
  public String sentence() {
    return String.valueOf(getMessage());
  }
}
