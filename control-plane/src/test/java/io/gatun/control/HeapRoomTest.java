package io.gatun.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeapRoomTest {
  private final List<String> happened = new ArrayList<>();
  private final List<Runnable> elsewhere = new ArrayList<>();
  private long used;
  private long afterCollection;

  private final HeapRoom room =
      new HeapRoom(
          () -> used,
          1000,
          () -> {
            happened.add("collection");
            used = afterCollection;
          },
          hurry -> happened.add(hurry ? "hurry" : "no hurry"),
          elsewhere::add);

  @Test
  void shouldLetEverybodyGoOnWhileThereIsRoom() {
    used = 699;
    assertFalse(room.isTight());
    assertEquals(List.of(), elsewhere);
  }

  @Test
  void shouldHaveOneCollectionHurryWhenTheHeapIsNearlyFull() {
    used = 700;
    afterCollection = 100;
    assertTrue(room.isTight());
    assertTrue(room.isTight(), "still");
    assertEquals(1, elsewhere.size(), "by whoever came first");
    elsewhere.removeFirst().run();
    assertEquals(List.of("hurry", "collection", "no hurry"), happened);
    assertFalse(room.isTight());
    room.await();

    used = 900;
    assertTrue(room.isTight(), "once more");
    assertEquals(1, elsewhere.size());
  }

  @Test
  void shouldKeepNobodyWaitingForRoomThatCannotBeMade() {
    used = 900;
    afterCollection = 800;
    assertTrue(room.isTight());
    elsewhere.removeFirst().run();
    assertFalse(room.isTight(), "all of that lives");
    room.await();
    assertEquals(List.of(), elsewhere, "not collected over and over");
  }

  @Test
  void shouldNotBeTightAnyMoreWhenSomebodyElseMadeRoom() {
    used = 900;
    assertTrue(room.isTight());
    used = 300; // the collector's own cycle
    assertFalse(room.isTight());
  }
}
