package io.gatun.lab.demo;

import java.io.IOException;
import java.nio.file.Path;

/** The demonstration in a process of its own, to be interrupted. */
final class DemoProcess {

  private DemoProcess() {}

  public static void main(String[] arguments) throws IOException {
    var options = new Demo.Options(false, false, Path.of(arguments[0]), System.out);
    System.exit(Demo.run(options, new KernelDataplane()));
  }
}
