package io.gatun.perf;

import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The runs of a figure as dots on an axis that begins at zero, ours above the peer's, a bar at each
 * median, dashed lines where floor and goal are; an inline SVG. Stateless.
 */
final class RunsPlot {
  private static final int WIDTH = 800;
  private static final int LEFT = 170;
  private static final int RIGHT = 30;
  private static final int TOP = 26;
  private static final int ROW = 44;
  private static final int TICKS = 5;

  private RunsPlot() {}

  static String of(Figure figure) {
    Figure.Peer peer = figure.peer();
    int rows = peer == null ? 1 : 2;
    int bottom = TOP + rows * ROW;
    double most = most(figure);
    StringBuilder svg = new StringBuilder();
    svg.append(
        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"runs of %s\">\n"
            .formatted(WIDTH, bottom + 30, HtmlPage.escaped(figure.what())));
    axis(svg, most, bottom, figure.unit());
    mark(svg, figure, figure.floor(), "floor", most, bottom);
    mark(svg, figure, figure.goal(), "goal", most, bottom);
    row(svg, "gatun", "ours", figure.runs(), figure.value(), most, TOP + ROW / 2);
    if (peer != null) {
      row(svg, peer.name(), "peer", peer.runs(), peer.value(), most, TOP + ROW + ROW / 2);
    }
    return svg.append("</svg>\n").toString();
  }

  /** The end of the axis: everything fits, a little room beyond. */
  private static double most(Figure figure) {
    Stream<Double> values = figure.runs().stream();
    if (figure.peer() != null) {
      values = Stream.concat(values, figure.peer().runs().stream());
    }
    double runs = values.mapToDouble(Double::doubleValue).max().orElse(1);
    double bounds =
        Stream.of(
                figure.floor() == null ? 0 : figure.floor(),
                figure.goal() == null ? 0 : figure.goal())
            .flatMapToDouble(
                bound -> bound == 0 ? DoubleStream.empty() : DoubleStream.of(figure.valueAt(bound)))
            .max()
            .orElse(0);
    return Math.max(Math.max(runs, bounds) * 1.05, Double.MIN_NORMAL);
  }

  private static double x(double value, double most) {
    return LEFT + value / most * (WIDTH - LEFT - RIGHT);
  }

  private static void axis(StringBuilder svg, double most, int bottom, String unit) {
    double step = step(most / TICKS);
    for (double tick = 0; tick <= most; tick += step) {
      svg.append(
          String.format(
              Locale.ROOT,
              "<line x1=\"%1$.1f\" x2=\"%1$.1f\" y1=\"%2$d\" y2=\"%3$d\" stroke=\"var(--line)\"/>"
                  + "<text x=\"%1$.1f\" y=\"%4$d\" text-anchor=\"middle\" fill=\"var(--soft)\">%5$s</text>%n",
              x(tick, most),
              TOP,
              bottom,
              bottom + 16,
              HtmlPage.number(tick)));
    }
    svg.append(
        "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"var(--soft)\">%s</text>\n"
            .formatted(LEFT - 24, bottom + 16, HtmlPage.escaped(unit)));
  }

  /** 1, 2 or 5 times a power of ten, at least {@code rough}. */
  static double step(double rough) {
    double power = Math.pow(10, Math.floor(Math.log10(rough)));
    for (int factor : List.of(1, 2, 5)) {
      if (factor * power >= rough) {
        return factor * power;
      }
    }
    return 10 * power;
  }

  private static void mark(
      StringBuilder svg,
      Figure figure,
      @Nullable Double bound,
      String name,
      double most,
      int bottom) {
    if (bound == null) {
      return;
    }
    svg.append(
        String.format(
            Locale.ROOT,
            "<line x1=\"%1$.1f\" x2=\"%1$.1f\" y1=\"%2$d\" y2=\"%3$d\" stroke=\"var(--good)\""
                + " stroke-dasharray=\"4 3\"/><text x=\"%1$.1f\" y=\"%4$d\" text-anchor=\"middle\""
                + " fill=\"var(--good)\">%5$s</text>%n",
            x(figure.valueAt(bound), most),
            TOP - 6,
            bottom,
            TOP - 10,
            name));
  }

  private static void row(
      StringBuilder svg,
      String name,
      String side,
      List<Double> runs,
      double median,
      double most,
      int y) {
    svg.append(
        "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"var(--%s)\">%s</text>\n"
            .formatted(LEFT - 12, y + 4, side, HtmlPage.escaped(name)));
    for (int run = 0; run < runs.size(); run++) {
      svg.append(
          String.format(
              Locale.ROOT,
              "<circle cx=\"%.1f\" cy=\"%d\" r=\"5\" fill=\"var(--%s)\" fill-opacity=\".55\">"
                  + "<title>run %d: %s</title></circle>%n",
              x(runs.get(run), most),
              y,
              side,
              run + 1,
              HtmlPage.number(runs.get(run))));
    }
    svg.append(
        String.format(
            Locale.ROOT,
            "<line x1=\"%1$.1f\" x2=\"%1$.1f\" y1=\"%2$d\" y2=\"%3$d\" stroke=\"var(--%4$s)\""
                + " stroke-width=\"3\"/>%n",
            x(median, most),
            y - 13,
            y + 13,
            side));
  }
}
