package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringReader;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.xml.sax.InputSource;

class HtmlPageTest {
  private static final double[] RUNS = {2, 3, 1};

  private static String page() {
    Figure beside =
        Figure.rate(
            "rate",
            "Gbit/s",
            RUNS,
            Figure.Peer.of("other <fast>", new double[] {4, 5}, "other --a \"b\" & c"),
            0.5,
            1.0);
    Figure alone = Figure.cost("alone", "ns/packet", RUNS, null, null);
    return HtmlPage.of(
        new Report(
            "veth",
            Map.of("frameSize", 64),
            List.of(beside, alone),
            Machine.since(Machine.Time.now()),
            "2026-11-21T10:00:00Z",
            42));
  }

  private static int count(String part, String whole) {
    return whole.split(part, -1).length - 1;
  }

  @Test
  void shouldShowEveryRunOfBothSides() {
    String page = page();
    assertEquals(3 + 2 + 3, count("<circle ", page));
    assertEquals(2, count("<svg ", page));
    assertTrue(page.contains("holds: <b class=\"no\">no</b>"), page);
  }

  @Test
  void shouldNeedNothingElse() {
    String page = page();
    for (String reference : List.of("http:", "https:", "<script", "<link", "src=")) {
      assertFalse(page.contains(reference), reference);
    }
  }

  @Test
  void shouldBeWellFormedWhateverTheNamesAre() throws Exception {
    String page = page();
    assertTrue(page.contains("other --a &quot;b&quot; &amp; c"), page);
    for (int at = page.indexOf("<svg "); at >= 0; at = page.indexOf("<svg ", at + 1)) {
      String svg = page.substring(at, page.indexOf("</svg>", at) + "</svg>".length());
      DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .parse(new InputSource(new StringReader(svg)));
    }
  }

  @Test
  void shouldRoundTicks() {
    assertEquals(1, RunsPlot.step(0.7));
    assertEquals(5, RunsPlot.step(3));
    assertEquals(200, RunsPlot.step(101));
    assertEquals(0.2, RunsPlot.step(0.11), 1e-12);
  }

  @Test
  void shouldPutBoundsWhereTheyAreReached() {
    Figure.Peer peer = Figure.Peer.of("other", new double[] {4}, "other");
    assertEquals(2, Figure.rate("rate", "Gbit/s", RUNS, peer, 0.5, 1.0).valueAt(0.5));
    assertEquals(8, Figure.cost("cost", "ns", RUNS, peer, 0.5, 1.0).valueAt(0.5));
    assertEquals(80, Figure.cost("cost", "ns", RUNS, 80.0, 40.0).valueAt(80));
  }
}
