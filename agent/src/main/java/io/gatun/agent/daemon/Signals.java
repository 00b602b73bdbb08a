package io.gatun.agent.daemon;

import java.lang.reflect.Proxy;

/**
 * SIGTERM and SIGINT, told apart: the first hands over to a successor, the second undoes
 * everything. A shutdown hook cannot tell them apart; {@code sun.misc.Signal} can, and is reached
 * by reflection only because javac warns of it in a way that cannot be silenced.
 */
final class Signals {
  private Signals() {}

  /** Runs {@code action} on a JVM thread whenever the process receives {@code name} ("TERM"). */
  static void on(String name, Runnable action) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object proxy =
          Proxy.newProxyInstance(
              Signals.class.getClassLoader(),
              new Class<?>[] {handler},
              (self, method, arguments) -> {
                if (method.getName().equals("handle")) {
                  action.run();
                }
                return null;
              });
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot handle SIG" + name + " on this JDK", e);
    }
  }
}
