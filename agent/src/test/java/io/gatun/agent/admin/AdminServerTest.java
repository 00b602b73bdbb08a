package io.gatun.agent.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients of every kind; one that asks properly is always answered. */
@Timeout(30)
class AdminServerTest {
  private static final int CROWD = 40;

  @TempDir private Path folder;
  private Path socket;
  private AdminServer server;

  @BeforeEach
  void open() throws IOException {
    socket = folder.resolve("admin.sock");
    server =
        new AdminServer(
            socket,
            Map.of("status", () -> Map.of("is", "well")),
            Map.of("echo", words -> Map.of("said", words.length())),
            Duration.ofMillis(300));
  }

  @AfterEach
  void close() throws IOException {
    server.close();
  }

  private SocketChannel connect() throws IOException {
    return SocketChannel.open(UnixDomainSocketAddress.of(socket));
  }

  private void expectAnswer() throws IOException {
    assertEquals("well", AdminClient.ask(socket, "status").get("is").asText());
  }

  @Test
  void shouldBeTheOwnersAlone() throws IOException {
    assertEquals(
        PosixFilePermissions.fromString("rw-------"), Files.getPosixFilePermissions(socket));
    try (var entries = Files.list(folder)) {
      assertEquals(List.of(socket), entries.toList(), "nothing else is left beside it");
    }
  }

  @Test
  void shouldAnswerWhileManyOthersSayNothing() throws IOException {
    List<SocketChannel> silent = new ArrayList<>();
    for (int k = 0; k < CROWD; k++) {
      silent.add(connect());
    }
    expectAnswer();
    for (SocketChannel one : silent) {
      one.close();
    }
  }

  @Test
  void shouldSendAwayWhoAsksTooSlowly() throws Exception {
    try (SocketChannel slow = connect()) {
      slow.write(ByteBuffer.wrap("sta".getBytes(StandardCharsets.UTF_8)));
      assertEquals(-1, slow.read(ByteBuffer.allocate(1000)));
    }
    expectAnswer();
  }

  @Test
  void shouldGoOnWhenAskersDoNotReadTheirAnswers() throws IOException {
    for (int k = 0; k < CROWD; k++) {
      try (SocketChannel rude = connect()) {
        rude.write(ByteBuffer.wrap("status\n".getBytes(StandardCharsets.UTF_8)));
      }
    }
    expectAnswer();
  }

  @Test
  void shouldTakeLongQuestionsAndRefuseEndlessOnes() throws IOException {
    String words = "w".repeat(3 << 20);
    assertEquals(words.length(), AdminClient.ask(socket, "echo " + words).get("said").asInt());
    try (SocketChannel endless = connect()) {
      ByteBuffer more = ByteBuffer.wrap("x".repeat(1 << 20).getBytes(StandardCharsets.UTF_8));
      assertThrows(
          IOException.class,
          () -> {
            for (int k = 0; k < 64; k++) {
              endless.write(more.rewind());
            }
          });
    }
    expectAnswer();
  }

  @Test
  void shouldSayWhatItKnowsToWhoAsksNonsense() throws IOException {
    for (String nonsense : List.of("", "nonsense", "\u0000\u0001\uFFFF", "echo")) {
      IOException refusal =
          assertThrows(IOException.class, () -> AdminClient.ask(socket, nonsense));
      assertTrue(String.valueOf(refusal).contains("[echo, status]"), refusal::toString);
    }
    expectAnswer();
  }
}
