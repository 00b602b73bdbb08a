package io.gatun.segment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.port.pcap.PcapWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every segment that is cut is one to tshark, too: checksums good, no gap, nothing twice. */
class SegmentsOnTheWireIT {
  private static final Path TSHARK = Path.of("/usr/bin/tshark");
  private static final byte[] TIMESTAMPS = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
  private static final int WHOLE = 60_001; // so that the last segment is a short one

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "1280, false", "1400, false", "1500, false", "4000, false", "9000, false",
    "1280, true", "1400, true", "1500, true", "4000, true", "9000, true"
  })
  void shouldBeValid(int mtu, boolean six) throws Exception {
    Assumptions.assumeTrue(Files.isExecutable(TSHARK), "skipped: tshark is not installed");
    int mss = mtu - (six ? 40 : 20) - 20 - TIMESTAMPS.length;
    Path capture = folder.resolve("segments.pcap");
    try (PcapWriter writer = new PcapWriter(capture)) {
      for (int whole = 0; whole < 3; whole++) {
        try (Packets packets = new Packets()) {
          byte[] payload = new byte[WHOLE];
          new Random(whole).nextBytes(payload);
          packets.add(
              PacketBuilder.ip(six ? "fd00::1" : "10.0.0.1", six ? "fd00::2" : "10.0.0.2")
                  .tcp(40_000, 5000)
                  .tcpOptions(TIMESTAMPS)
                  .identification(100 + 100 * whole)
                  .sequence(1000 + whole * WHOLE)
                  .flags(Tcp.ACK | Tcp.PSH | (whole == 2 ? Tcp.FIN : 0))
                  .payload(payload)
                  .partialChecksum()
                  .bytes(),
              mss);
          for (byte[] segment : packets.cut(0)) {
            assertTrue(segment.length <= 14 + mtu, "longer than the MTU");
            writer.write(segment, 1_700_000_000_000_000_000L + whole);
          }
        }
      }
    }
    int each = (WHOLE + mss - 1) / mss;
    List<String> lines = tshark(capture);
    assertEquals(3 * each, lines.size());
    for (int k = 0; k < lines.size(); k++) {
      String[] fields = lines.get(k).split(",", -1); // 1 means good
      assertEquals(six ? "" : "1", fields[0], "IP checksum of " + lines.get(k));
      assertEquals("1", fields[1], "TCP checksum of " + lines.get(k));
      assertEquals("", fields[2], "gap or repetition at " + lines.get(k));
      boolean last = k % each == each - 1;
      assertEquals(last ? "1" : "0", fields[3], "PSH");
      assertEquals(k == lines.size() - 1 ? "1" : "0", fields[4], "FIN");
      assertEquals(last ? WHOLE - (each - 1) * mss : mss, Integer.parseInt(fields[5]), "bytes");
    }
  }

  private static List<String> tshark(Path capture) throws Exception {
    String options = "-o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE";
    String fields =
        "-e ip.checksum.status -e tcp.checksum.status -e tcp.analysis.flags"
            + " -e tcp.flags.push -e tcp.flags.fin -e tcp.len";
    String command =
        "%s -n -r %s %s -T fields -E separator=, %s".formatted(TSHARK, capture, options, fields);
    Process process =
        new ProcessBuilder(command.split(" ", -1))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), command);
    return output.lines().map(line -> line.replace("True", "1").replace("False", "0")).toList();
  }
}
