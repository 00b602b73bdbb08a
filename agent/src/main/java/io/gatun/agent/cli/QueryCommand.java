package io.gatun.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.agent.RunDirectory;
import io.gatun.agent.Terminal;
import io.gatun.agent.UsageException;
import io.gatun.agent.admin.AdminClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A command that prints one report of the running daemon; the report's name is the command's. */
abstract class QueryCommand implements Callable<Integer> {
  @Option(names = "--socket", paramLabel = "FILE", description = "The daemon's socket.")
  private @Nullable Path socket;

  @Mixin private Output output = new Output();

  @Option(
      names = "--watch",
      arity = "0..1",
      fallbackValue = "2",
      paramLabel = "SECONDS",
      description = "Again every 2 seconds, or as many, until Ctrl-C.")
  private @Nullable Double watch;

  private final String report;

  QueryCommand(String report) {
    this.report = report;
  }

  /** What the daemon is asked. */
  String request() {
    return report;
  }

  @Override
  public Integer call() throws IOException {
    Path path = socket == null ? RunDirectory.current().socket() : socket;
    Double seconds = watch;
    if (seconds == null) {
      print(AdminClient.ask(path, request()));
      return 0;
    }
    if (!(seconds > 0)) {
      throw new UsageException("--watch: got " + seconds + ", expected seconds above 0");
    }
    while (true) {
      JsonNode answer = AdminClient.ask(path, request());
      if (Terminal.hasColour()) {
        System.out.print("\033[H\033[2J"); // ECMA-48: home, erase all
      }
      print(answer);
      System.out.flush();
      try {
        Thread.sleep((long) (seconds * 1000));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return 0;
      }
    }
  }

  private void print(JsonNode answer) throws IOException {
    if (output.json()) {
      ObjectMapper pretty = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
      System.out.println(pretty.writeValueAsString(answer));
    } else {
      System.out.print(TextTable.of(answer));
    }
  }

  @Command(
      name = "status",
      description = "The daemon at a glance.",
      footer = {"", "Example: gatun status -o json"})
  static final class Status extends QueryCommand {
    Status() {
      super("status");
    }
  }

  @Command(
      name = "services",
      description = "Fronts, their endpoints and connections.",
      footer = {"", "Example: gatun services"})
  static final class Services extends QueryCommand {
    Services() {
      super("services");
    }
  }

  @Command(
      name = "endpoints",
      description = "Endpoints of each Service port: usable under Cluster, under Local; flows.",
      footer = {"", "Example: gatun endpoints -o json"})
  static final class Endpoints extends QueryCommand {
    Endpoints() {
      super("endpoints");
    }
  }

  @Command(
      name = "drops",
      description = "Dropped packets by reason.",
      footer = {"", "Example: gatun drops"})
  static final class Drops extends QueryCommand {
    Drops() {
      super("drops");
    }
  }

  @Command(
      name = "ports",
      description = "Ports and their counters.",
      footer = {"", "Example: gatun ports"})
  static final class Ports extends QueryCommand {
    Ports() {
      super("ports");
    }
  }

  @Command(
      name = "routes",
      description = "Routes of the data path: the kernel's, the configuration's, neighbours.",
      footer = {"", "Example: gatun routes -o json"})
  static final class Routes extends QueryCommand {
    Routes() {
      super("routes");
    }
  }

  @Command(
      name = "neighbours",
      description = "Neighbours of the taken interfaces, their MAC addresses and states.",
      footer = {"", "Example: gatun neighbours"})
  static final class Neighbours extends QueryCommand {
    Neighbours() {
      super("neighbours");
    }
  }

  @Command(
      name = "tunnels",
      description = {
        "Tunnels to other nodes: where they lead, the MTU of pods behind them, counters.",
        "State mtu: the device promises pods more than the underlay carries."
      },
      footer = {"", "Example: gatun tunnels -o json"})
  static final class Tunnels extends QueryCommand {
    Tunnels() {
      super("tunnels");
    }
  }

  @Command(
      name = "flows",
      description = "Translated flows: all, chosen ones, or who has how many.",
      footer = {
        "",
        "Example: gatun flows --service default/web --state established",
        "         gatun flows --summary -o json"
      })
  static final class Flows extends QueryCommand {
    @Option(
        names = "--address",
        paramLabel = "ADDRESS",
        description = "Client, front, endpoint or source.")
    private @Nullable String address;

    @Option(names = "--service", paramLabel = "NS/NAME[:PORT]", description = "Of this Service.")
    private @Nullable String service;

    @Option(
        names = "--state",
        paramLabel = "STATE",
        description = "In this state: established, time_wait, udp_stream, …")
    private @Nullable String state;

    @Option(
        names = "--protocol",
        paramLabel = "TCP|UDP|SCTP|ICMP",
        description = "Of this protocol.")
    private @Nullable String protocol;

    @Option(names = "--limit", paramLabel = "N", description = "So many at most.")
    private @Nullable Integer limit;

    @Option(names = "--summary", description = "How many, by state, Service, client and endpoint.")
    private boolean summary;

    Flows() {
      super("flows");
    }

    @Override
    String request() {
      ObjectNode question = JsonNodeFactory.instance.objectNode();
      put(question, "address", address);
      put(question, "service", service);
      put(question, "state", state);
      put(question, "protocol", protocol);
      if (limit != null) {
        question.put("limit", limit);
      }
      if (summary) {
        question.put("summary", true);
      }
      return question.isEmpty() ? super.request() : super.request() + " " + question;
    }

    private static void put(ObjectNode question, String name, @Nullable String value) {
      if (value != null) {
        question.put(name, value);
      }
    }
  }
}
