package io.gatun.control.service;

import io.gatun.service.FrontKey;
import io.gatun.service.FrontSpec;
import java.util.List;

/** What a service table must do to hold what is wanted now. Immutable. */
public record FrontChange(List<FrontSpec> changedOrNew, List<FrontKey> removed) {
  public FrontChange {
    changedOrNew = List.copyOf(changedOrNew);
    removed = List.copyOf(removed);
  }

  public boolean isEmpty() {
    return changedOrNew.isEmpty() && removed.isEmpty();
  }
}
