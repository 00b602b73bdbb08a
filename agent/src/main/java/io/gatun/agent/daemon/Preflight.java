package io.gatun.agent.daemon;

import io.gatun.agent.RunDirectory;
import io.gatun.agent.UsageException;
import io.gatun.agent.check.Finding;
import io.gatun.agent.check.Firewall;
import io.gatun.agent.check.InterfaceChecks;
import io.gatun.agent.check.MachineChecks;
import io.gatun.agent.check.Rivals;
import io.gatun.agent.config.Configuration;
import io.gatun.agent.config.ConfigurationException;
import io.gatun.agent.config.GatunConfiguration;
import io.gatun.ffm.netlink.Link;
import io.gatun.ffm.netlink.Rtnetlink;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What is looked at before a node is taken: all of it by {@code check}, the rivals by every run.
 */
public final class Preflight {
  private Preflight() {}

  /** Everything; of the interfaces those of {@code config}, else all that are up. */
  public static List<Finding> all(@Nullable Path config, RunDirectory run) throws IOException {
    List<Finding> findings = new ArrayList<>(MachineChecks.all(run.bpf()));
    List<Link> links = links();
    Set<String> names = config == null ? up(links) : meant(config, links);
    links.stream()
        .filter(link -> names.contains(link.name()))
        .forEach(link -> findings.addAll(InterfaceChecks.of(link, run.bpf())));
    findings.addAll(Rivals.find(Firewall.read(), links.stream().map(Link::name).toList()));
    return findings;
  }

  /** Those that are taken, and those that the configuration names and that cannot be. */
  private static Set<String> meant(Path config, List<Link> links) throws IOException {
    try {
      GatunConfiguration configuration = Configuration.read(config);
      Set<String> names =
          new Interfaces(configuration)
              .present().stream().map(taken -> taken.port().name()).collect(Collectors.toSet());
      for (Link link : links) {
        if (configuration.interfaces().stream()
            .anyMatch(entry -> entry.name().equals(link.name()))) {
          names.add(link.name());
        }
      }
      return names;
    } catch (ConfigurationException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }

  private static Set<String> up(List<Link> links) {
    return links.stream()
        .filter(link -> link.up() && link.mac().length == 6 && !link.name().equals("lo"))
        .map(Link::name)
        .collect(Collectors.toSet());
  }

  private static List<Link> links() {
    try (Rtnetlink kernel = new Rtnetlink()) {
      return kernel.links();
    }
  }

  /**
   * Refuses to take {@code interfaces} where that would silently switch something off.
   *
   * @param firewall what others' rules are
   * @param ignored names of rivals to pass over
   */
  static void refuse(
      List<Interfaces.Taken> interfaces,
      RunDirectory run,
      Firewall firewall,
      Collection<String> ignored) {
    for (String name : ignored) {
      if (!Rivals.names().contains(name)) {
        throw new UsageException(
            "--ignore: got %s, expected one of %s".formatted(name, Rivals.names()));
      }
    }
    List<Link> links = links();
    List<Finding> findings =
        new ArrayList<>(Rivals.find(firewall, links.stream().map(Link::name).toList()));
    Set<Integer> taken =
        interfaces.stream().map(one -> one.port().ifIndex()).collect(Collectors.toSet());
    links.stream()
        .filter(link -> taken.contains(link.index()))
        .forEach(link -> findings.addAll(InterfaceChecks.foreignProgram(link, run.bpf())));
    List<String> lines =
        findings.stream()
            .filter(finding -> finding.status() == Finding.Status.FAILURE)
            .filter(finding -> !ignored.contains(finding.check()))
            .map(finding ->
                "%s: %s; %s (or --ignore %s)"
                    .formatted(finding.check(), finding.found(), finding.remedy(), finding.check()))
            .toList();
    if (!lines.isEmpty()) {
      throw new UsageException(String.join("\n", lines));
    }
  }
}
