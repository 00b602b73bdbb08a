package io.gatun.control.model;

import java.util.List;
import java.util.Map;

/**
 * Which labels are meant (apimachinery, LabelSelector): all labels of {@code exact} and all of
 * {@code requirements} hold; an empty one means everything. Immutable.
 */
public record LabelSelector(Map<String, String> exact, List<Requirement> requirements) {
  /** How a label is compared. */
  public enum Operator {
    IN,
    NOT_IN,
    EXISTS,
    DOES_NOT_EXIST
  }

  /** One of {@code matchExpressions}. */
  public record Requirement(String key, Operator operator, List<String> values) {
    boolean holds(Map<String, String> labels) {
      String value = labels.get(key);
      return switch (operator) {
        case IN -> value != null && values.contains(value);
        case NOT_IN -> value == null || !values.contains(value);
        case EXISTS -> value != null;
        case DOES_NOT_EXIST -> value == null;
      };
    }
  }

  public boolean matches(Map<String, String> labels) {
    return labels.entrySet().containsAll(exact.entrySet())
        && requirements.stream().allMatch(requirement -> requirement.holds(labels));
  }
}
