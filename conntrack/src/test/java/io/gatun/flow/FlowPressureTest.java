package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.Memory;
import io.gatun.ring.qsbr.Qsbr;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who gives way when the table is full, and that no Service takes all of it. */
class FlowPressureTest {
  private static final int MAX = 1000;
  private static final int SPARE = MAX / 32;
  private static final int SHARE = MAX - MAX / 5;

  private final Qsbr qsbr = new Qsbr(1);
  private final Qsbr.Reader reader = qsbr.register();
  private final FlowTable table = new FlowTable(MAX, FlowTimeouts.defaults(), qsbr);

  @AfterEach
  void close() {
    table.close();
  }

  private long insert(int n, int service) {
    NewFlow f = FlowFileTest.flow(false, n);
    f.service = service;
    return table.insert(f, 1);
  }

  private long insert(int n, int service, FlowState state) {
    long entry = insert(n, service);
    assertTrue(entry != FlowTable.FULL && entry != FlowTable.SHARE, "flow " + n);
    Memory.putShort(entry + FlowLayout.STATE, state.ordinal());
    return entry;
  }

  private boolean there(int n) {
    return FlowFileTest.whole(table, FlowFileTest.flow(false, n));
  }

  @ParameterizedTest
  @EnumSource(names = {"SYN_SENT", "SYN_RECEIVED", "UDP_NEW", "ICMP", "TIME_WAIT", "CLOSE"})
  void shouldLetTheseGiveWayToNewFlowsAndNoEstablishedOne(FlowState dispensable) {
    for (int n = 0; n < 500; n++) {
      insert(n, 0, n % 2 == 0 ? FlowState.ESTABLISHED : FlowState.UDP_STREAM);
    }
    for (int n = 500; n < 5000; n++) {
      insert(n, 0, dispensable);
    }
    for (int n = 0; n < 500; n++) {
      assertTrue(there(n), "flow " + n);
    }
    assertTrue(there(4999));
    assertEquals(5000 - table.size(), table.evicted());
    assertEquals(MAX - SPARE, table.size(), SPARE / 2);
  }

  @Test
  void shouldSpareWhatIsOverWhileThereAreHalfOpenFlows() {
    for (int n = 0; n < 900; n++) {
      // A victim is looked for among 64 neighbours.
      insert(n, 0, n % 2 == 0 ? FlowState.TIME_WAIT : FlowState.SYN_SENT);
    }
    for (int n = 900; n < 1200; n++) {
      insert(n, 0, FlowState.ESTABLISHED);
    }
    for (int n = 0; n < 900; n += 2) {
      assertTrue(there(n), "flow " + n);
    }
  }

  @Test
  void shouldRefuseWhenAllAreEstablished() {
    for (int n = 0; n < MAX; n++) {
      insert(n, 0, FlowState.ESTABLISHED);
    }
    assertEquals(FlowTable.FULL, insert(MAX, 0));
    assertEquals(0, table.evicted());
  }

  @Test
  void shouldNotLetOneServiceTakeAll() {
    for (int n = 0; n < SHARE; n++) {
      insert(n, 7, FlowState.ESTABLISHED);
    }
    assertEquals(FlowTable.SHARE, insert(SHARE, 7));
    assertEquals(SHARE, table.flows(7));
    assertNotEquals(FlowTable.SHARE, insert(SHARE, 8));
    table.removeIf(flow -> flow.clientLow() == 0x0a000000L);
    assertNotEquals(FlowTable.SHARE, insert(SHARE + 1, 7));
  }

  @Test
  void shouldTakeAServicesOwnHalfOpenFlowsWhenItHasItsShare() {
    insert(0, 8, FlowState.SYN_SENT);
    for (int n = 1; n < 5000; n++) {
      insert(n, 7, FlowState.SYN_SENT);
    }
    assertTrue(there(0), "the other Service's flow");
    assertEquals(SHARE, table.flows(7));
    assertEquals(1, table.flows(8));
    assertEquals(SHARE + 1, table.size());
  }

  /** Room is made before it is needed: what was removed comes back after a grace period only. */
  @Test
  void shouldMakeRoomAheadOfTheGracePeriod() {
    reader.online();
    for (int n = 0; n < 5000; n++) {
      insert(n, 0, FlowState.SYN_SENT);
      if (n % (SPARE - 1) == 0) {
        reader.quiescent();
        table.sweep(n);
      }
    }
  }
}
