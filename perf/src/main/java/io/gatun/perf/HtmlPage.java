package io.gatun.perf;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A report as one page that needs nothing else: no script, no font, no picture; stateless. */
final class HtmlPage {
  private static final String STYLE =
      """
      :root { color-scheme: light dark; --ink: #1c1e21; --soft: #6b7075; --line: #d9dce0;
              --paper: #fff; --ours: #2a6fdb; --peer: #c9701a; --good: #1a7f45; --bad: #c23434; }
      @media (prefers-color-scheme: dark) {
        :root { --ink: #e6e7e9; --soft: #9aa0a6; --line: #3a3e43; --paper: #17191c;
                --ours: #6ea4ff; --peer: #f0a35a; --good: #5cc98a; --bad: #ff7b7b; } }
      body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
             max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
      h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .2rem; }
      p { margin: .3rem 0; } .soft { color: var(--soft); }
      .big { font-size: 1.6rem; font-weight: 600; } .ours { color: var(--ours); }
      .peer { color: var(--peer); } .goal, .floor { color: var(--good); } .no { color: var(--bad); }
      table { border-collapse: collapse; width: 100%; } td { padding: .25rem .8rem .25rem 0;
              border-top: 1px solid var(--line); vertical-align: top; }
      code { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
      svg { width: 100%; height: auto; display: block; } svg text { font: 12px system-ui, sans-serif; }
      """;

  private HtmlPage() {}

  static String of(Report report) {
    StringBuilder page = new StringBuilder();
    page.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .append("<title>gatun bench ")
        .append(escaped(report.bench()))
        .append("</title>\n<style>\n")
        .append(STYLE)
        .append("</style></head><body>\n<h1>gatun bench ")
        .append(escaped(report.bench()))
        .append("</h1>\n<p class=\"soft\">")
        .append(escaped(report.argumentsInWords()))
        .append("; started ")
        .append(escaped(report.started()))
        .append(String.format(Locale.ROOT, ", took %.1f s</p>%n", report.seconds()));
    report.figures().forEach(figure -> figure(page, figure));
    facts(page, report);
    return page.append("</body></html>\n").toString();
  }

  private static void figure(StringBuilder page, Figure figure) {
    page.append("<h2>")
        .append(escaped(figure.what()))
        .append("</h2>\n<p><span class=\"big ours\">");
    page.append(number(figure.value())).append("</span> ").append(escaped(figure.unit()));
    if (figure.peer() != null) {
      page.append(" <span class=\"soft\">beside</span> <span class=\"big peer\">")
          .append(number(figure.peer().value()))
          .append("</span> of ")
          .append(escaped(figure.peer().name()));
    }
    if (figure.ratio() != null) {
      page.append(": ratio <b>").append(number(figure.ratio())).append("</b>");
    }
    String holds = figure.holds();
    if (holds != null) {
      page.append(
          "; floor %s, goal %s, holds: <b class=\"%s\">%s</b>"
              .formatted(bound(figure.floor()), bound(figure.goal()), holds, holds));
    }
    page.append("</p>\n").append(RunsPlot.of(figure));
  }

  private static void facts(StringBuilder page, Report report) {
    Machine machine = report.machine();
    Map<String, String> facts = new LinkedHashMap<>();
    for (Figure figure : report.figures()) {
      if (figure.peer() != null) {
        facts.put("peer " + figure.peer().name(), figure.peer().command());
      }
    }
    facts.put("processor", machine.cpu() + ", " + machine.cores() + " cores");
    facts.put("kernel", machine.kernel());
    facts.put("JDK", machine.jdk());
    facts.put("stolen by the hypervisor", machine.stealPercent() + " %");
    machine.vulnerabilities().forEach(facts::put);
    page.append("<h2>Machine and commands</h2>\n<table>\n");
    facts.forEach((name, value) ->
        page.append("<tr><td class=\"soft\">")
            .append(escaped(name))
            .append("</td><td><code>")
            .append(escaped(value))
            .append("</code></td></tr>\n"));
    page.append("</table>\n");
  }

  private static String bound(@Nullable Double bound) {
    return bound == null ? "none" : number(bound);
  }

  /** Three digits that matter, and no exponent. */
  static String number(double value) {
    double size = Math.abs(value);
    if (size == 0) {
      return "0";
    }
    String format = size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f";
    return String.format(Locale.ROOT, format, value);
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
