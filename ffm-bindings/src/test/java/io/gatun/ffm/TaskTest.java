package io.gatun.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class TaskTest {
  @Test
  void shouldFindThisThreadAndTheJvms() throws Exception {
    Task self = new Task(Libc.gettid());
    assertTrue(Task.all().contains(self));
    assertEquals('R', self.state());
    assertTrue(Task.all().stream().anyMatch(task -> task.name().equals("VM Thread")));
  }

  @Test
  void shouldKnowASleepingThreadByItsName() throws Exception {
    AtomicInteger tid = new AtomicInteger();
    CountDownLatch known = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    Thread sleeper =
        Thread.ofPlatform()
            .name("sleeps for a while")
            .start(() -> {
              tid.set(Libc.gettid());
              known.countDown();
              try {
                end.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    known.await();
    Task task = new Task(tid.get());
    for (int look = 0; task.state() != 'S' && look < 1000; look++) {
      Thread.sleep(1);
    }
    assertEquals('S', task.state());
    assertEquals("sleeps for a wh", task.name());
    end.countDown();
    sleeper.join();
    for (int look = 0; Task.all().contains(task) && look < 1000; look++) {
      Thread.sleep(1); // the kernel's part of it ends a little later
    }
    assertFalse(Task.all().contains(task));
    assertEquals("", task.name());
    assertEquals('X', task.state());
  }
}
