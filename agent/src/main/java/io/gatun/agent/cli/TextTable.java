package io.gatun.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Lays out a report for people: an array of objects as columns, an object as key and value. */
final class TextTable {
  /** A Service may have thousands of endpoints; {@code -o json} has them all. */
  private static final int MOST_ITEMS = 6;

  private TextTable() {}

  static String of(JsonNode report) {
    List<List<String>> rows = report.isArray() ? columns(report) : pairs(report);
    return aligned(rows);
  }

  private static List<List<String>> columns(JsonNode array) {
    Set<String> names = new LinkedHashSet<>();
    array.forEach(row -> row.fieldNames().forEachRemaining(names::add));
    List<List<String>> rows = new ArrayList<>();
    rows.add(names.stream().map(TextTable::heading).toList());
    for (JsonNode row : array) {
      rows.add(names.stream().map(name -> cell(row.path(name))).toList());
    }
    return rows;
  }

  private static List<List<String>> pairs(JsonNode object) {
    List<List<String>> rows = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      rows.add(List.of(field.getKey(), cell(field.getValue())));
    }
    return rows;
  }

  /** {@code droppedPackets} → {@code DROPPED PACKETS}. */
  private static String heading(String name) {
    return name.replaceAll("([a-z])([A-Z])", "$1 $2").toUpperCase(Locale.ROOT);
  }

  private static String cell(JsonNode value) {
    if (value.isMissingNode() || value.isNull()) {
      return "-";
    }
    if (value.isArray()) {
      List<String> parts = new ArrayList<>();
      value.forEach(part -> parts.add(cell(part)));
      if (parts.size() > MOST_ITEMS) {
        int left = parts.size() - MOST_ITEMS;
        return String.join(",", parts.subList(0, MOST_ITEMS)) + " and " + left + " more";
      }
      return parts.isEmpty() ? "-" : String.join(",", parts);
    }
    return value.isValueNode() ? value.asText() : value.toString();
  }

  private static String aligned(List<List<String>> rows) {
    if (rows.isEmpty()) {
      return "";
    }
    int[] widths = new int[rows.getFirst().size()];
    for (List<String> row : rows) {
      for (int column = 0; column < widths.length; column++) {
        widths[column] = Math.max(widths[column], row.get(column).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int column = 0; column < widths.length; column++) {
        line.append(row.get(column)).repeat(' ', widths[column] - row.get(column).length() + 2);
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }
}
