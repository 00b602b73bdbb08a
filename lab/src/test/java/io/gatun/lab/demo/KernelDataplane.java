package io.gatun.lab.demo;

import io.gatun.lab.Node;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The kernel as a dataplane: forwarding on, nftables for the demonstration's Services. With it the
 * checks are proven before there is anything of ours to check.
 */
final class KernelDataplane implements NodeDataplane {

  private static final String RULES =
      """
      table ip demo {
        chain services {
          ip daddr 10.96.0.80 tcp dport 80 dnat to numgen random mod 2 map { 0 : 10.244.0.11 . 8080, 1 : 10.244.1.11 . 8080 }
          fib daddr type local tcp dport 30080 meta mark set 1 dnat to numgen random mod 2 map { 0 : 10.244.0.11 . 8080, 1 : 10.244.1.11 . 8080 }
          ip daddr 10.96.0.53 udp dport 53 dnat to 10.244.0.12:53
          ip daddr 10.96.0.201 tcp dport 5201 dnat to 10.244.1.12:5201
          ip daddr 10.96.0.202 tcp dport 9000 dnat to 10.244.1.12:9000
        }
        chain prerouting { type nat hook prerouting priority dstnat; jump services; }
        chain output { type nat hook output priority -100; jump services; }
        chain postrouting {
          type nat hook postrouting priority srcnat;
          meta mark 1 snat to NODE_ADDRESS
          ip saddr 10.244.0.11 ip daddr 10.244.0.11 snat to NODE_ADDRESS
          ip saddr 10.244.1.11 ip daddr 10.244.1.11 snat to NODE_ADDRESS
        }
      }
      table ip6 demo {
        chain prerouting {
          type nat hook prerouting priority dstnat;
          ip6 daddr fd00:96::80 tcp dport 80 dnat to numgen random mod 2 map { 0 : fd00:244:0::11 . 8080, 1 : fd00:244:1::11 . 8080 }
        }
      }
      """;

  @Override
  public Running start(Node node, Path config, Path manifests) throws IOException {
    String address = node.name().equals("node-a") ? "192.168.0.11" : "192.168.0.12";
    node.sysctl("net.ipv4.ip_forward", "1");
    node.sysctl("net.ipv6.conf.all.forwarding", "1");
    // The node's own packets are routed before they are translated; elsewhere the default route
    // does.
    node.exec("ip", "route", "add", "10.96.0.0/16", "dev", "eth0").orThrow();
    node.command("nft", "-f", "-").reading(RULES.replace("NODE_ADDRESS", address)).run().orThrow();
    return new Running() {
      @Override
      public void awaitReady(Duration patience) {}

      @Override
      public long pid() {
        return 0; // nor has it a process
      }

      @Override
      public NodeDataplane.Frames frames() {
        return new NodeDataplane.Frames(0, 0, 0); // the kernel's frames are its own
      }

      @Override
      public String drops() {
        return "";
      }

      @Override
      public void stop() throws IOException {
        node.exec("nft", "flush", "ruleset").orThrow();
        node.exec("ip", "route", "del", "10.96.0.0/16", "dev", "eth0").orThrow();
        node.sysctl("net.ipv4.ip_forward", "0");
        node.sysctl("net.ipv6.conf.all.forwarding", "0");
      }
    };
  }

  /** From now on: once web-2 is not in the file any more, the node translates to web-1 alone. */
  void followManifests(Node node, Path web) {
    Thread.ofVirtual()
        .start(() -> {
          try {
            while (!Files.readString(web).contains("10.244.1.11")) {
              Thread.sleep(2); // the test before took it out
            }
            while (Files.readString(web).contains("10.244.1.11")) {
              Thread.sleep(2);
            }
            String alone =
                "insert rule ip demo services ip daddr 10.96.0.80 tcp dport 80 dnat to 10.244.0.11:8080";
            node.command("nft", "-f", "-").reading(alone).run().orThrow();
          } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
  }
}
