package io.gatun.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.agent.RunDirectory;
import io.gatun.agent.UsageException;
import io.gatun.agent.admin.AdminClient;
import io.gatun.agent.config.Configuration;
import io.gatun.agent.config.ConfigurationException;
import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.explain.Explanation;
import io.gatun.agent.explain.FlowQuery;
import io.gatun.agent.explain.OfflineNode;
import io.gatun.control.manifest.ManifestException;
import io.gatun.control.manifest.ManifestSource;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gatun explain}: the verdict for flows that nobody has sent. */
@Command(
    name = "explain",
    description = "The exact verdict for a flow that nobody has sent, and why.",
    footer = {
      "",
      "Without --config and --manifests the running daemon is asked about its live state.",
      "Example: gatun explain --config node.yaml --manifests manifests/ \\",
      "           --flow \"TCP 10.244.0.10:40000 > 10.96.0.80:80\"",
      "The flows of a file are JSON, one object a line: {\"id\": \"a\", \"protocol\": \"UDP\",",
      "\"src\": \"10.244.0.10\", \"dst\": \"10.96.0.53\", \"dstPort\": 53, \"in\": \"cali1\"}."
    })
final class ExplainCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A request stays well below what the daemon takes. */
  private static final int AT_ONCE = 1000;

  @Option(names = "--socket", paramLabel = "FILE", description = "The daemon's; live.")
  private @Nullable Path socket;

  @Option(names = "--config", paramLabel = "FILE", description = "Of the node; offline.")
  private @Nullable Path config;

  @Option(names = "--manifests", paramLabel = "PATH", description = "Kubernetes objects; offline.")
  private @Nullable Path manifests;

  @Option(
      names = "--flow",
      paramLabel = "FLOW",
      description = "\"PROTO SRC:PORT > DST:PORT [in IFACE]\"; may be repeated.")
  private List<String> flow = List.of();

  @Option(names = "--flows", paramLabel = "FILE", description = "Flows, one JSON object a line.")
  private @Nullable Path flows;

  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException {
    List<FlowQuery> queries = queries();
    PrintWriter out =
        new PrintWriter(
            new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8)));
    if (config == null && manifests == null) {
      live(queries, out);
    } else {
      offline(queries, out);
    }
    out.flush();
    return 0;
  }

  private void offline(List<FlowQuery> queries, PrintWriter out) throws IOException {
    Set<String> named = new LinkedHashSet<>();
    for (FlowQuery query : queries) {
      String in = query.in();
      if (in != null) {
        named.add(in);
      }
    }
    try (OfflineNode node = new OfflineNode(configuration(), source(), named)) {
      for (FlowQuery query : queries) {
        Explanation explanation = node.explain(query);
        out.println(
            output.json() ? JSON.writeValueAsString(explanation.json()) : explanation.text());
      }
    }
  }

  /** Asks the running daemon, some flows at a time. */
  private void live(List<FlowQuery> queries, PrintWriter out) throws IOException {
    Path path = socket == null ? RunDirectory.current().socket() : socket;
    for (int from = 0; from < queries.size(); from += AT_ONCE) {
      List<Map<String, Object>> some =
          queries.subList(from, Math.min(queries.size(), from + AT_ONCE)).stream()
              .map(FlowQuery::json)
              .toList();
      for (JsonNode answer : AdminClient.ask(path, "explain " + JSON.writeValueAsString(some))) {
        if (output.json()) {
          out.println(JSON.writeValueAsString(answer));
        } else {
          List<String> steps = new ArrayList<>();
          answer.path("steps").forEach(step -> steps.add(step.asText()));
          out.println(
              Explanation.text(
                  answer.path("id").asText(),
                  answer.path("verdict").asText(),
                  answer.path("endpoint").textValue(),
                  answer.path("reason").textValue(),
                  steps));
        }
      }
    }
  }

  private List<FlowQuery> queries() throws IOException {
    List<FlowQuery> queries = new ArrayList<>();
    try {
      for (String text : flow) {
        queries.add(FlowQuery.parse(text));
      }
    } catch (IllegalArgumentException e) {
      throw new UsageException("explain: " + e.getMessage());
    }
    if (flows != null) {
      try {
        queries.addAll(FlowQuery.parseLines(Files.readAllLines(flows)));
      } catch (IllegalArgumentException e) {
        throw new UsageException(flows + ": " + e.getMessage());
      } catch (IOException e) {
        throw new UsageException(flows + ": cannot be read; --flows expects a file of JSON lines");
      }
    }
    if (queries.isEmpty() && flows == null) {
      throw new UsageException("explain: got no flow, expected --flow or --flows");
    }
    return queries;
  }

  private GatunConfiguration configuration() {
    try {
      return config == null ? Configuration.defaults() : Configuration.read(config);
    } catch (ConfigurationException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }

  private @Nullable ManifestSource source() {
    try {
      return manifests == null ? null : new ManifestSource(manifests);
    } catch (ManifestException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }
}
