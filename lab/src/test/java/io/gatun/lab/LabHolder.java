package io.gatun.lab;

import java.io.IOException;
import java.nio.file.Path;

/** A process that holds a lab with a child in it, until somebody kills it. */
final class LabHolder {

  private LabHolder() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    TwoNodes topology = TwoNodes.up(Path.of(arguments[0]), arguments[1]);
    topology.pod("dns").node().spawn("sleeper", "sleep", "1000");
    System.out.println(topology.lab().prefix());
    Thread.sleep(60_000);
  }
}
