package io.gatun.fib;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.gatun.ffm.memory.Memory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AdjacencyTableTest {
  /** A worker looks a route up, the control thread sends the route elsewhere, the worker reads. */
  @Test
  void shouldKeepWhatWasRemovedForReadersUnderWay() {
    List<Runnable> retired = new ArrayList<>();
    try (AdjacencyTable table = new AdjacencyTable(1, retired::add)) {
      int found = table.add(new Adjacency.Forward(7, 1, 2, 1500));
      table.remove(found);
      assertNull(table.get(found));
      assertEquals(AdjacencyTable.FORWARD, Memory.getInt(table.line(found) + AdjacencyTable.KIND));
      retired.forEach(Runnable::run);
      assertEquals(AdjacencyTable.NONE, Memory.getInt(table.line(found) + AdjacencyTable.KIND));
      assertEquals(found, table.add(new Adjacency.Blackhole()));
    }
  }
}
