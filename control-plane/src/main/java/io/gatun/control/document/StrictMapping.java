package io.gatun.control.document;

import java.util.LinkedHashSet;
import java.util.Set;

/**
 * A mapping of which every key must be known; for one thread.
 *
 * <p>Known is what the reader asks for, so the list of fields is nowhere written twice. {@link
 * #end} then names the first key that nobody asked for, and the known one that looks most like it.
 */
public final class StrictMapping {
  private final Field mapping;
  private final Set<String> known = new LinkedHashSet<>();

  public StrictMapping(Field mapping) {
    mapping.entries(); // is one, or absent
    this.mapping = mapping;
  }

  public Field at(String key) {
    known.add(key);
    return mapping.at(key);
  }

  /** The mapping itself. */
  public Field field() {
    return mapping;
  }

  /**
   * To be called after every {@link #at}, and before the first value is read: whoever mistypes a
   * name is to hear of that name, not that the right one is missing.
   */
  public void end() {
    for (String key : mapping.entries().keySet()) {
      if (!known.contains(key)) {
        Field unknown = mapping.at(key);
        throw new FieldException(
            unknown.path()
                + ": unknown field, the nearest known one is "
                + mapping.at(nearest(key)).path());
      }
    }
  }

  private String nearest(String key) {
    String best = "";
    int least = Integer.MAX_VALUE;
    for (String candidate : known) {
      int distance = distance(key, candidate);
      if (distance < least) {
        least = distance;
        best = candidate;
      }
    }
    return best;
  }

  /** Levenshtein's, blind to case. */
  static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        boolean same =
            Character.toLowerCase(a.charAt(i - 1)) == Character.toLowerCase(b.charAt(j - 1));
        int substitute = diagonal + (same ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substitute, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
