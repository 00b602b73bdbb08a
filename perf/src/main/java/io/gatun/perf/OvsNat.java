package io.gatun.perf;

import io.gatun.ffm.memory.NativeArea;
import io.gatun.lab.Command;
import io.gatun.packet.Tcp;
import io.gatun.port.pcap.PcapWriter;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What connection tracking with destination NAT costs a packet in Open vSwitch with DPDK: its
 * forwarding thread on one core, from a capture file that is replayed for ever to a port that
 * swallows, once with the translation and once without; the difference. One thread.
 *
 * <p>Everything it makes is in a directory of its own, and its huge pages are taken without files.
 */
final class OvsNat implements Alternation.Side, Closeable {
  static final String NAME = "ovs-dpdk";

  /** Of Debian's openvswitch-switch-dpdk. */
  static final Path PROGRAM = Path.of("/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk");

  static final String COMMAND =
      "ovs-vswitchd with net_pcap0 (infinite_rx=1) and net_null0 (no-rx=1), pmd-cpu-mask=2; "
          + "ct(zone=1,nat) and ct(commit,zone=1,nat(dst=…)) minus in_port=p0,actions=p1";

  /** The port keeps a buffer for every frame of its file. */
  static final int MOST_FLOWS = 10_000;

  static final int MEGABYTES = 1024;

  private static final Path SCHEMA = Path.of("/usr/share/openvswitch/vswitch.ovsschema");
  private static final int FRAMES = 20_000;
  private static final int TRIES = 5;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final double SETTLE_SECONDS = 1;
  static final Pattern RECEIVED = Pattern.compile("packets received: ([0-9]+)");
  static final Pattern TRACKED = Pattern.compile("Total: ([0-9]+)");

  private static final String PLAIN = "in_port=p0,actions=output:p1";
  private static final List<String> NAT =
      List.of(
          "priority=100,in_port=p0,tcp,ct_state=-trk,actions=ct(table=0,zone=1,nat)",
          "priority=90,tcp,ct_state=+trk+new,nw_dst=10.96.0.10,tp_dst=80,"
              + "actions=ct(commit,zone=1,nat(dst=10.244.0.1:8080)),output:p1",
          "priority=80,tcp,ct_state=+trk,actions=output:p1");

  private final Path directory;
  private final int flows;
  private final double seconds;
  private final HugePages pages;
  private final List<Process> processes = new ArrayList<>();

  /**
   * @param flows at most {@link #MOST_FLOWS}
   * @param seconds of a run, both halves together
   */
  OvsNat(Path directory, int flows, double seconds) throws IOException {
    this.directory = Files.createDirectories(directory);
    this.flows = flows;
    this.seconds = seconds;
    this.pages = HugePages.reserve(MEGABYTES);
    writeFlows();
  }

  private void writeFlows() throws IOException {
    try (PcapWriter file = new PcapWriter(directory.resolve("flows.pcap"));
        NativeArea frame = NativeArea.map("frame", ServiceTraffic.FRAME)) {
      for (int i = 0; i < FRAMES; i++) {
        int flow = (int) (i * 7919L % flows); // a prime: neighbours are of different clients
        ServiceTraffic.write(
            frame.address(),
            ServiceTraffic.client(flow),
            ServiceTraffic.SERVICE,
            ServiceTraffic.port(flow) << 16 | ServiceTraffic.PORT,
            Tcp.ACK);
        file.write(frame.address(), ServiceTraffic.FRAME, i);
      }
    }
  }

  @Override
  public void enter() throws IOException {
    Path database = directory.resolve("conf.db");
    Files.deleteIfExists(database);
    run("ovsdb-tool", "create", database.toString(), SCHEMA.toString());
    start(
        "ovsdb",
        "ovsdb-server",
        database.toString(),
        "--remote=punix:" + socket(),
        control("ovsdb"));
    awaitFile(directory.resolve("db.sock"));
    vsctl("--no-wait", "init");
    vsctl(
        "--no-wait",
        "set",
        "Open_vSwitch",
        ".",
        "other_config:dpdk-init=true",
        "other_config:dpdk-socket-mem=256",
        "other_config:dpdk-lcore-mask=1",
        "other_config:pmd-cpu-mask=2",
        "other_config:dpdk-extra=\"--in-memory --no-pci\"");
    startForwarding();
    vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev");
    port("p0", "net_pcap0,rx_pcap=%s,tx_pcap=/dev/null,infinite_rx=1");
    port("p1", "net_null0,no-rx=1");
  }

  /** Others may take the huge pages between our having them free and DPDK's taking them. */
  private void startForwarding() throws IOException {
    for (int tries = 1; tries <= TRIES; tries++) {
      pages.haveFree(MEGABYTES);
      Process process =
          start("vswitchd", PROGRAM.toString(), "unix:" + socket(), control("vswitchd"));
      while (process.isAlive()) {
        if (Files.readString(log("vswitchd")).contains("DPDK Enabled - initialized")) {
          return;
        }
        VethPath.sleep(0.1);
      }
      processes.remove(process);
    }
    throw new IOException("OVS did not start:\n" + Files.readString(log("vswitchd")));
  }

  private void port(String name, String devargs) throws IOException {
    vsctl(
        "add-port",
        "br0",
        name,
        "--",
        "set",
        "Interface",
        name,
        "type=dpdk",
        "options:dpdk-devargs=\"" + devargs.formatted(directory.resolve("flows.pcap")) + "\"");
    String error = vsctl("get", "Interface", name, "error").strip();
    if (!error.equals("[]")) {
      throw new IOException("ovs-vswitchd: port " + name + ": " + error);
    }
  }

  /** Nanoseconds a packet that the translation takes. */
  @Override
  public double[] measure() throws IOException {
    double plain = nanosPerPacket(List.of(PLAIN));
    double translated = nanosPerPacket(NAT);
    long tracked = number(TRACKED, appctl("dpctl/ct-stats-show"));
    if (tracked != flows) {
      throw new IllegalStateException(
          "Open vSwitch tracks %d connections; %d are sent".formatted(tracked, flows));
    }
    return new double[] {translated - plain};
  }

  private double nanosPerPacket(List<String> flows) throws IOException {
    String bridge = directory.resolve("br0.mgmt").toString();
    run("ovs-ofctl", "-O", "OpenFlow14", "del-flows", bridge);
    for (String flow : flows) {
      run("ovs-ofctl", "-O", "OpenFlow14", "add-flow", bridge, flow);
    }
    VethPath.sleep(SETTLE_SECONDS);
    long before = received();
    long start = System.nanoTime();
    VethPath.sleep(seconds / 2);
    long packets = received() - before;
    return (double) (System.nanoTime() - start) / packets;
  }

  private long received() throws IOException {
    return number(RECEIVED, appctl("dpif-netdev/pmd-stats-show"));
  }

  static long number(Pattern pattern, String output) throws IOException {
    Matcher matcher = pattern.matcher(output);
    if (!matcher.find()) {
      throw new IOException("ovs-appctl: nothing like " + pattern + " in: " + output.strip());
    }
    return Long.parseLong(matcher.group(1));
  }

  private String appctl(String command) throws IOException {
    return run("ovs-appctl", "-t", directory.resolve("vswitchd.ctl").toString(), command);
  }

  private String socket() {
    return directory.resolve("db.sock").toString();
  }

  private String control(String name) {
    return "--unixctl=" + directory.resolve(name + ".ctl");
  }

  private String vsctl(String... arguments) throws IOException {
    List<String> words = new ArrayList<>(List.of("ovs-vsctl", "--db=unix:" + socket()));
    words.addAll(List.of(arguments));
    return run(words.toArray(new String[0]));
  }

  private static String run(String... words) throws IOException {
    return Command.of(words).within(PATIENCE).run().orThrow().output();
  }

  private Process start(String name, String... words) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(words);
    builder.environment().put("OVS_RUNDIR", directory.toString());
    builder.redirectErrorStream(true).redirectOutput(log(name).toFile());
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  private Path log(String name) {
    return directory.resolve(name + ".log");
  }

  private static void awaitFile(Path file) throws IOException {
    for (int attempt = 0; attempt < 300; attempt++) {
      if (Files.exists(file)) {
        return;
      }
      VethPath.sleep(0.1);
    }
    throw new IOException(file + " did not appear: ovsdb-server did not start");
  }

  @Override
  public void leave() throws IOException {
    try {
      for (Process process : processes.reversed()) {
        Program.end(process);
      }
    } finally {
      processes.clear();
    }
  }

  /** Ends what runs, and removes the directory. */
  @Override
  public void close() throws IOException {
    leave();
    pages.close();
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
