package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.Machine;
import io.gatun.agent.config.Configuration;
import io.gatun.agent.config.GatunConfiguration;
import io.gatun.control.manifest.Manifests;
import io.gatun.control.model.ObjectSet;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files that the demonstration writes are files that the daemon reads. */
class DemoFilesIT {

  @Test
  void shouldReadWhatTheDemonstrationWrites(@TempDir Path runDirectory) throws Exception {
    Machine.fit();
    try (TwoNodes topology = TwoNodes.up(runDirectory, "files")) {
      GatunConfiguration configuration =
          Configuration.read(Cluster.writeConfiguration(topology, topology.nodeA()));
      assertEquals("node-a", configuration.node());
      assertEquals(2, configuration.nodeAddresses().size());
      assertEquals(2, configuration.interfaces().size());

      ObjectSet objects = Manifests.read(Cluster.writeManifests(topology));
      assertEquals(4, objects.services().size());
      assertTrue(
          objects.services().keySet().stream().noneMatch(name -> objects.slicesOf(name).isEmpty()));
    }
  }
}
