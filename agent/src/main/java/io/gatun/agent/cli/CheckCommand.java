package io.gatun.agent.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.agent.RunDirectory;
import io.gatun.agent.UsageException;
import io.gatun.agent.check.Finding;
import io.gatun.agent.daemon.Preflight;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gatun check}: may Gatun take this node, and what would have to be mended? */
@Command(
    name = "check",
    description = "Look whether this machine can run Gatun; changes nothing.",
    footer = {
      "",
      "Example: gatun check --config node.yaml",
      "Exit code 1 when something fails. `gatun run --ignore NAME` passes over a rival",
      "that is found (kube-proxy, calico, portmap, …)."
    })
final class CheckCommand implements Callable<Integer> {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Its interfaces are looked at; without it all that are up.")
  private @Nullable Path config;

  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws Exception {
    if (config != null && !Files.isReadable(config)) {
      throw new UsageException(config + ": cannot be read; --config expects a YAML file");
    }
    List<Finding> findings = Preflight.all(config, RunDirectory.current());
    if (output.json()) {
      List<Map<String, String>> rows = new ArrayList<>();
      for (Finding finding : findings) {
        Map<String, String> row = new LinkedHashMap<>();
        row.put("check", finding.check());
        row.put("status", finding.status().name().toLowerCase(Locale.ROOT));
        row.put("found", finding.found());
        row.put("remedy", finding.remedy());
        rows.add(row);
      }
      System.out.println(new ObjectMapper().writeValueAsString(rows));
    } else {
      for (Finding finding : findings) {
        String remedy = finding.remedy().isEmpty() ? "" : "  →  " + finding.remedy();
        System.out.printf(
            "%-8s %-14s %s%s%n",
            finding.status().name().toLowerCase(Locale.ROOT),
            finding.check(),
            finding.found(),
            remedy);
      }
    }
    boolean failed =
        findings.stream().anyMatch(finding -> finding.status() == Finding.Status.FAILURE);
    return failed ? 1 : 0;
  }
}
