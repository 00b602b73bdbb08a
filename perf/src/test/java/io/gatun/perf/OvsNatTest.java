package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class OvsNatTest {
  @Test
  void shouldReadWhatOpenVswitchCounted() throws IOException {
    String stats = "pmd thread numa_id 0 core_id 1:\n  packets received: 6560864\n";
    assertEquals(6_560_864, OvsNat.number(OvsNat.RECEIVED, stats));
    String tracked = "Connections Stats:\n    Total: 1000\n  TCP: 1000\n";
    assertEquals(1000, OvsNat.number(OvsNat.TRACKED, tracked));
    assertThrows(IOException.class, () -> OvsNat.number(OvsNat.RECEIVED, tracked));
  }
}
