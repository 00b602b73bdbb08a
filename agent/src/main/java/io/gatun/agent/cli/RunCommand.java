package io.gatun.agent.cli;

import io.gatun.agent.RunDirectory;
import io.gatun.agent.UsageException;
import io.gatun.agent.daemon.Daemon;
import io.gatun.agent.daemon.Standby;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code gatun run}: the daemon, in the foreground. */
@Command(
    name = "run",
    description = "Run the dataplane of this node in the foreground.",
    footer = {
      "",
      "Example: gatun run --config node.yaml --manifests manifests/",
      "SIGTERM leaves ports and flows for a successor; `gatun stop` (or Ctrl-C) undoes everything."
    })
final class RunCommand implements Callable<Integer> {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      required = true,
      description = "GatunConfiguration or KubeProxyConfiguration.")
  private Path config = Path.of("");

  @Option(
      names = "--manifests",
      paramLabel = "PATH",
      description = "File or folder of Services and EndpointSlices, watched.")
  private @Nullable Path manifests;

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description =
          "The cluster to follow; default: proxy.clientConnection.kubeconfig, else this pod's.")
  private @Nullable Path kubeconfig;

  @Option(
      names = "--replace",
      description = "Take over from the daemon that runs here, without a gap.")
  private boolean replace;

  @Option(
      names = "--ignore",
      paramLabel = "NAME",
      description = "Do not refuse because of NAME (see gatun check); may be repeated.")
  private List<String> ignored = List.of();

  @Option(
      names = "--no-standby",
      description = {
        "Keep no second process beside the daemon that takes its place when it dies:",
        "saves some 170 MB, and an outage takes one to two seconds."
      })
  @SuppressWarnings("unused") // the launcher reads it
  private boolean alone;

  /** What the launcher starts beside the daemon. */
  @Option(names = "--standby-of", paramLabel = "PID", hidden = true)
  private @Nullable Long launcher;

  @Override
  public Integer call() throws Exception {
    if (!Files.isReadable(config)) {
      throw new UsageException(config + ": cannot be read; --config expects a YAML file");
    }
    if (manifests != null && !Files.exists(manifests)) {
      throw new UsageException(
          manifests + ": does not exist; --manifests expects a file or folder");
    }
    if (manifests != null && kubeconfig != null) {
      throw new UsageException("got --manifests and --kubeconfig, expected one of them");
    }
    if (kubeconfig != null && !Files.isReadable(kubeconfig)) {
      throw new UsageException(kubeconfig + ": cannot be read; --kubeconfig expects a kubeconfig");
    }
    if (launcher != null
        && !Standby.await(launcher, config, manifests, kubeconfig, RunDirectory.current())) {
      return 0;
    }
    return Daemon.run(config, manifests, kubeconfig, RunDirectory.current(), replace, ignored);
  }
}
