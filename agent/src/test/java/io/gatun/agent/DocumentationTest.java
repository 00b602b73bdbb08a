package io.gatun.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.bridge.Sightings;
import io.gatun.bridge.Switchboard;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.fib.Fib;
import io.gatun.fib.Questions;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.FragmentTable;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.ParseStage;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.DataPath;
import io.gatun.service.ServiceTable;
import io.gatun.service.SourceAddresses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the documents name is there. */
class DocumentationTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  private static final List<String> PAGES =
      List.of("README.md", "docs/architecture.md", "docs/benchmarks.md", "docs/operations.md");

  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  /** A class, with its package or without, and perhaps one of its members. */
  private static final Pattern CLASS =
      Pattern.compile("(?:[a-z]\\w*\\.)*([A-Z]\\w*[a-z]\\w*)(?:[.#]\\w+.*)?");

  private static final Pattern FILE =
      Pattern.compile("(?:bin|deploy|docs|\\w+(?:-\\w+)?)/\\S*|\\S+\\.(?:java|md|sh|py)");

  /** Words of Kubernetes and of the JDK that look like our classes. */
  private static final Set<String> OTHERS =
      Set.of("ClusterCIDR", "NetworkUnavailable", "Thread", "ToBeDeletedByClusterAutoscaler");

  private static final Set<String> files = new TreeSet<>();
  private static final Set<String> classes = new HashSet<>(OTHERS);

  @BeforeAll
  static void look() throws IOException {
    Pattern declared = Pattern.compile("\\b(?:class|record|interface|enum) (\\w+)");
    Set<String> leftOut = Set.of("target", ".git");
    List<Path> folders = new ArrayList<>(List.of(ROOT));
    while (!folders.isEmpty()) {
      try (Stream<Path> entries = Files.list(folders.removeLast())) {
        for (Path entry : entries.toList()) {
          String name = String.valueOf(entry.getFileName());
          if (Files.isDirectory(entry) && !leftOut.contains(name)) {
            folders.add(entry);
          } else if (Files.isRegularFile(entry)) {
            files.add(ROOT.relativize(entry).toString());
          }
          if (name.endsWith(".java")) {
            declared
                .matcher(Files.readString(entry))
                .results()
                .forEach(m -> classes.add(m.group(1)));
          }
        }
      }
    }
  }

  private static List<String> words(String page) throws IOException {
    List<String> words = new ArrayList<>();
    Matcher code = CODE.matcher(Files.readString(ROOT.resolve(page)));
    while (code.find()) {
      words.addAll(List.of(code.group(1).split("[\\s,;()\\[\\]{}=|<>\"]+")));
    }
    return words;
  }

  @Test
  void shouldNameClassesThatThereAre() throws IOException {
    Set<String> missing = new TreeSet<>();
    for (String page : PAGES) {
      for (String word : words(page)) {
        Matcher name = CLASS.matcher(word);
        if (name.matches() && !classes.contains(name.group(1))) {
          missing.add(page + ": " + word);
        }
      }
    }
    assertEquals(Set.of(), missing);
  }

  @Test
  void shouldNameFilesThatThereAre() throws IOException {
    Set<String> missing = new TreeSet<>();
    int seen = 0;
    for (String page : PAGES) {
      for (String word : words(page)) {
        String first = word.replaceFirst("/.*", "");
        boolean ours = word.endsWith(".java") || word.endsWith(".md") || isFolder(first);
        if (FILE.matcher(word).matches() && ours && !word.matches("(.*/)?target/.*")) {
          seen++;
          if (!isThere(word)) {
            missing.add(page + ": " + word);
          }
        }
      }
    }
    assertEquals(Set.of(), missing);
    assertTrue(seen > 20, () -> "the pages name files");
  }

  private static boolean isFolder(String name) {
    return Files.isDirectory(ROOT.resolve(name)) && !name.isEmpty();
  }

  /** A file or folder; {@code …} stands for folders between. */
  private static boolean isThere(String word) {
    String path = "\\Q" + word.replaceFirst("/$", "").replace("…", "\\E.*\\Q") + "\\E";
    Pattern pattern = Pattern.compile(path + "(/.*)?");
    return files.stream().anyMatch(file -> pattern.matcher(file).matches());
  }

  @Test
  void shouldBeNamedRightlyInTheSources() throws IOException {
    Pattern page = Pattern.compile("\\bdocs/\\w+\\.md");
    Set<String> missing = new TreeSet<>();
    for (String file : files) {
      if (file.endsWith(".java")) {
        Matcher named = page.matcher(Files.readString(ROOT.resolve(file)));
        while (named.find()) {
          if (!files.contains(named.group())) {
            missing.add(file + ": " + named.group());
          }
        }
      }
    }
    assertEquals(Set.of(), missing);
  }

  /** The table in docs/architecture.md has a row for each stage, in the order of the data path. */
  @Test
  void shouldShowTheStagesInTheirOrder() throws IOException {
    List<String> rows =
        Pattern.compile("(?m)^\\| (\\w+) \\| `\\S+\\.java` \\|")
            .matcher(Files.readString(ROOT.resolve("docs/architecture.md")))
            .results()
            .map(row -> row.group(1))
            .toList();
    Qsbr qsbr = new Qsbr(1);
    try (FlowTable flows = new FlowTable(1024, FlowTimeouts.defaults(), qsbr);
        Fib fib = new Fib(16, Runnable::run);
        FragmentTable fragments = new FragmentTable();
        ServiceTable services = new ServiceTable(flows, qsbr);
        NativeArea frames = NativeArea.map("frames", FrameDepot.CHUNK)) {
      DataPath path =
          new DataPath(
              new DataPath.Tables(fib, flows, fragments, services, new SourceAddresses()),
              new ParseStage(),
              new Answers(),
              DataPath.Overlay.NONE,
              new DataPath.Bridging(() -> Switchboard.EMPTY, new Sightings("none", -1)),
              new FramePool(new FrameDepot(frames.address(), FrameDepot.CHUNK, 1)),
              new Questions("none", -1),
              System::nanoTime);
      assertEquals(path.steps().stream().map(DataPath.Step::name).toList(), rows);
    }
  }
}
