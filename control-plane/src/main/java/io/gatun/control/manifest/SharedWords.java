package io.gatun.control.manifest;

/**
 * Words that a cluster's objects say again and again, each kept once: names of nodes, namespaces
 * and ports, a quarter of a million of them. Forgetful, so it does not grow. Thread safe.
 */
final class SharedWords {
  private static final int PLACES = 1 << 12;

  /** Races are harmless: a string is whole for whoever sees it. */
  private static final String[] KNOWN = new String[PLACES];

  private SharedWords() {}

  /** The same word. */
  static String of(String word) {
    int hash = word.hashCode();
    int place = (hash ^ hash >>> 16) & PLACES - 1;
    String known = KNOWN[place];
    if (word.equals(known)) {
      return known;
    }
    KNOWN[place] = word;
    return word;
  }
}
