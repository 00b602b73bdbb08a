package io.gatun.agent.cli;

import io.gatun.agent.UsageException;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import io.gatun.lab.TwoNodes;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gatun lab}: topologies of network namespaces, made and removed without a trace. */
@Command(
    name = "lab",
    description = "Two nodes, their pods and an outside client, in network namespaces.",
    footer = {
      "",
      "Example: gatun lab up",
      "         gatun lab exec node-a -- ip route",
      "         gatun lab down"
    })
final class LabCommand implements Runnable {
  private static final String DEFAULT_NAME = "lab";

  @Override
  public void run() {
    throw new UsageException("lab: expected up, down, list or exec; see `gatun lab --help`");
  }

  @Command(
      description = "Build a lab; it stays until `gatun lab down`.",
      footer = {"", "Example: gatun lab up"})
  int up(
      @Option(names = "--name", defaultValue = DEFAULT_NAME, description = "Its name.") String name)
      throws IOException {
    TwoNodes lab = TwoNodes.up(Lab.runDirectory(), name);
    for (Node node : lab.lab().nodes()) {
      System.out.println(node.name() + "  " + node.path());
    }
    return 0;
  }

  @Command(
      description = "Remove a lab and all that runs in it.",
      footer = {"", "Example: gatun lab down"})
  int down(
      @Option(names = "--name", defaultValue = DEFAULT_NAME, description = "Its name.") String name)
      throws IOException {
    Lab.open(Lab.runDirectory(), name).close();
    return 0;
  }

  @Command(
      description = "The labs that are up.",
      footer = {"", "Example: gatun lab list"})
  int list() throws IOException {
    for (Lab lab : Lab.list(Lab.runDirectory())) {
      System.out.printf(
          "%s  %s  %s%n",
          lab.name(), lab.topology(), lab.nodes().stream().map(Node::name).toList());
    }
    return 0;
  }

  @Command(
      description = "Run a command in one of a lab's nodes or pods.",
      footer = {"", "Example: gatun lab exec node-a -- ip route"})
  int exec(
      @Option(names = "--name", defaultValue = DEFAULT_NAME, description = "The lab's name.")
          String name,
      @Parameters(paramLabel = "NODE", description = "A node or pod of the lab.") String node,
      @Parameters(paramLabel = "CMD", arity = "1..*", description = "The command.")
          List<String> command)
      throws IOException, InterruptedException {
    Node where = Lab.open(Lab.runDirectory(), name).node(node);
    return new ProcessBuilder(where.enter(command)).inheritIO().start().waitFor();
  }
}
