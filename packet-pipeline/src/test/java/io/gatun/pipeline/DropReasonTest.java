package io.gatun.pipeline;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DropReasonTest {
  @Test
  void shouldGiveEachReasonACodeOfItsOwn() {
    Set<Integer> codes = new HashSet<>();
    for (DropReason reason : DropReason.values()) {
      assertTrue(codes.add(reason.code()), () -> reason + " shares code " + reason.code());
      assertTrue(reason.code() < DropReason.LIMIT, reason::name);
      assertSame(reason, DropReason.of(reason.code()));
    }
  }
}
