package io.gatun.agent;

/** What {@code gatun --version} prints. */
public final class Version {
  private Version() {}

  /** For example {@code gatun 0.1.0-SNAPSHOT (JDK 25.0.3)}. */
  public static String line() {
    String version = Version.class.getPackage().getImplementationVersion();
    return "gatun %s (JDK %s)"
        .formatted(version == null ? "development" : version, Runtime.version().toString());
  }
}
