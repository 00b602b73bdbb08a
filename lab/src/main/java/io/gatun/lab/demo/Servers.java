package io.gatun.lab.demo;

import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** The real servers in the pods; stateless, they end with the lab. */
public final class Servers {

  /** The name dnsmasq knows, and its address. */
  static final String NAME = "lock.gatun.test";

  static final String NAME_ADDRESS = "192.0.2.25";

  private Servers() {}

  /** Starts them all and waits until they listen. */
  public static void start(TwoNodes topology) throws IOException {
    for (String web : new String[] {"web-1", "web-2"}) {
      python(topology, topology.pod(web), "web", web, Integer.toString(Cluster.WEB_TARGET));
    }
    topology
        .pod("dns")
        .node()
        .spawn(
            "dnsmasq",
            "dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--user=root",
            "--pid-file=",
            "--address=/" + NAME + "/" + NAME_ADDRESS);
    topology.pod("stream").node().spawn("iperf3", "iperf3", "--server");
    for (String web : new String[] {"web-1", "web-2"}) {
      topology.pod(web).node().awaitListening(Cluster.WEB_TARGET);
    }
    topology.pod("dns").node().awaitListening(53);
    topology.pod("stream").node().awaitListening(5201);
  }

  /** Starts one of our scripts in a pod, to go on until the lab is down. */
  static void python(TwoNodes topology, Pod pod, String script, String... arguments)
      throws IOException {
    pod.node().spawn(script, pythonWords(topology, script, arguments));
  }

  /** The words that run one of our scripts. */
  static String[] pythonWords(TwoNodes topology, String script, String... arguments)
      throws IOException {
    Path system = Path.of("/usr/bin/python3"); // a version switcher's shim in PATH is slow
    String[] words = new String[arguments.length + 2];
    words[0] = Files.isExecutable(system) ? system.toString() : "python3";
    words[1] = extract(topology, script).toString();
    System.arraycopy(arguments, 0, words, 2, arguments.length);
    return words;
  }

  private static Path extract(TwoNodes topology, String script) throws IOException {
    Path file = topology.lab().directory().resolve(script + ".py");
    if (!Files.exists(file)) {
      try (InputStream resource = Servers.class.getResourceAsStream(script + ".py")) {
        if (resource == null) {
          throw new FileNotFoundException(script + ".py");
        }
        Files.copy(resource, file, StandardCopyOption.REPLACE_EXISTING);
      }
    }
    return file;
  }
}
