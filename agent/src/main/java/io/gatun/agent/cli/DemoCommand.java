package io.gatun.agent.cli;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Terminal;
import io.gatun.agent.UsageException;
import io.gatun.lab.Lab;
import io.gatun.lab.demo.Demo;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code gatun demo}: the main job, shown on two nodes made of network namespaces. */
@Command(
    name = "demo",
    description = "Send real traffic through Services on two nodes made of network namespaces.",
    footer = {"", "Example: sudo ./gatun demo"})
final class DemoCommand implements Callable<Integer> {
  @Option(names = "--keep", description = "Leave everything up and say how to enter.")
  private boolean keep;

  @Override
  public Integer call() throws IOException {
    if (!System.getProperty("user.name").equals("root")) {
      throw new UsageException(
          "demo: needs root for network namespaces and AF_XDP: sudo ./gatun demo");
    }
    return Demo.run(
        new Demo.Options(keep, Terminal.hasColour(), Lab.runDirectory(), System.out),
        GatunProcess::alone);
  }
}
