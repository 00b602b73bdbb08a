package io.gatun.control.manifest;

/**
 * A manifest cannot be taken. The message is one line: {@code FILE: Service default/web:
 * spec.ports[0].port: got "http", expected an integer from 1 to 65535}.
 */
public final class ManifestException extends Exception {
  public ManifestException(String message) {
    super(message);
  }
}
