package io.gatun.agent.config;

/** The configuration cannot be taken; the message is one line for the user, the exit code is 2. */
public final class ConfigurationException extends Exception {
  public ConfigurationException(String message) {
    super(message);
  }
}
