package io.gatun.agent.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatun.lab.Node;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** Real sockets in one namespace, as {@code whoami.py} offers them; for one thread. */
final class Talker implements AutoCloseable {
  private final Process process;
  private final BufferedReader answers;
  private final Writer questions;

  private Talker(Process process) {
    this.process = process;
    this.answers = process.inputReader(UTF_8);
    this.questions = process.outputWriter(UTF_8);
  }

  /** One that asks. */
  static Talker asking(Node node, Path script) throws IOException {
    return new Talker(start(node, script, "ask"));
  }

  /** One that answers at these ports, once this returns. */
  static Talker serving(Node node, Path script, String name, int... ports) throws IOException {
    String[] words = new String[ports.length + 2];
    words[0] = "serve";
    words[1] = name;
    for (int i = 0; i < ports.length; i++) {
      words[i + 2] = Integer.toString(ports[i]);
    }
    Talker talker = new Talker(start(node, script, words));
    String first = talker.answers.readLine();
    if (!"serving".equals(first)) {
      talker.close();
      throw new IOException(name + " does not serve: " + first);
    }
    return talker;
  }

  private static Process start(Node node, Path script, String... words) throws IOException {
    String[] all = new String[words.length + 2];
    all[0] = Files.isExecutable(Path.of("/usr/bin/python3")) ? "/usr/bin/python3" : "python3";
    all[1] = script.toString();
    System.arraycopy(words, 0, all, 2, words.length);
    return new ProcessBuilder(node.enter(all))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /** How often {@code count} new connections got which answer: "web-1 8080 10.0.0.1", "timeout". */
  Map<String, Integer> ask(String protocol, String address, int port, int count)
      throws IOException {
    questions.write("%s %s %d %d\n".formatted(protocol, address, port, count));
    questions.flush();
    String line = answers.readLine();
    if (line == null) {
      throw new IOException("whoami.py ended");
    }
    Map<String, Integer> counts = new TreeMap<>();
    for (String answer : line.split(" ", -1)) {
      int equals = answer.lastIndexOf('=');
      counts.put(
          answer.substring(0, equals).replace('_', ' '),
          Integer.parseInt(answer.substring(equals + 1)));
    }
    return counts;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
