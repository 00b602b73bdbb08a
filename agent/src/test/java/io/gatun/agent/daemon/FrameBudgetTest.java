package io.gatun.agent.daemon;

import static io.gatun.port.xdp.XdpRole.HOST;
import static io.gatun.port.xdp.XdpRole.POD;
import static io.gatun.port.xdp.XdpRole.UPLINK;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.port.xdp.XdpRole;
import java.util.List;
import org.junit.jupiter.api.Test;

class FrameBudgetTest {
  private static final int FRAME = 2048;

  @Test
  void shouldGiveTheFirstPodsDeepRingsAndLeaveRoomForOthers() {
    FrameBudget budget = new FrameBudget(1, List.of(POD, POD, HOST), true, true);
    assertTrue((long) budget.frames() * FRAME <= 64 << 20, "of a small node");
    int deep = 0;
    int taken = open(budget, 0, HOST);
    for (int number = 1; number <= 20; number++) {
      int size = open(budget, number, POD);
      deep += size == 2048 ? 1 : 0;
      taken += size;
    }
    assertEquals(3, deep);
    assertTrue(taken < budget.frames() - FrameBudget.LEAST, "and there is room for all of them");
  }

  @Test
  void shouldGiveTheNextPodWhatAnotherOneLeft() {
    FrameBudget budget = new FrameBudget(1, List.of(), true, true);
    int number = 0;
    while (open(budget, number, POD) == 2048) {
      number++;
    }
    budget.has(0, 0);
    assertEquals(2048, open(budget, 0, POD));
    assertEquals(512, open(budget, number + 1, POD));
  }

  @Test
  void shouldGiveWhatARoleNeedsWhereNothingElseMayCome() {
    FrameBudget budget = new FrameBudget(2, List.of(UPLINK, POD), false, false);
    assertEquals(2 * 4096 + 2 * 2048 + 2 * 512, budget.frames());
    assertEquals(2048, open(budget, 1, UPLINK));
    assertEquals(512, open(budget, 2, POD));
  }

  private static int open(FrameBudget budget, int number, XdpRole role) {
    int size = budget.ringSize(role);
    budget.has(number, size);
    return size;
  }
}
