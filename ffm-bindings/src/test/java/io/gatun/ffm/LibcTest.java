package io.gatun.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import org.junit.jupiter.api.Test;

class LibcTest {
  @Test
  void shouldNameErrors() {
    assertEquals("EBUSY", Errno.name(16));
    assertEquals("EBUSY", Errno.name(-16));
    assertEquals("ENOBUFS", Errno.name(Errno.ENOBUFS));
    assertEquals("EOPNOTSUPP", Errno.name(Errno.EOPNOTSUPP));
    assertEquals("EHWPOISON", Errno.name(133));
    assertEquals("errno 41", Errno.name(41));
    assertEquals("errno 4000", Errno.name(4000));
  }

  @Test
  void shouldReturnMinusErrno() {
    assertEquals(-Errno.EBADF, Libc.close(-1));
    assertEquals(-Errno.ENOENT, Libc.open("/nonexistent", Libc.O_RDONLY));
    assertEquals(-Errno.ENODEV, Libc.ifNameToIndex("a-name-too-long-for-a-device"));
    assertEquals(-Errno.ENODEV, Libc.ifNameToIndex("nosuchdevice"));
    assertEquals("", Libc.ifIndexToName(123456));
  }

  @Test
  void shouldFindTheLoopbackByNameAndByIndex() {
    int index = Libc.ifNameToIndex("lo");
    assertTrue(index > 0);
    assertEquals("lo", Libc.ifIndexToName(index));
  }

  @Test
  void shouldCountTheSameNanosecondsAsTheJvm() {
    long before = System.nanoTime();
    long now = Libc.monotonicNanos();
    long after = System.nanoTime();
    assertTrue(before <= now && now <= after, before + " " + now + " " + after);
  }

  @Test
  void shouldPinAThread() throws InterruptedException {
    int cpu = Libc.allowedCpus().nextSetBit(0);
    int[] seen = {-1, -1};
    Thread thread =
        new Thread(() -> {
          seen[0] = Libc.pinToCpu(cpu);
          seen[1] = Libc.allowedCpus().cardinality();
        });
    thread.start();
    thread.join();
    assertEquals(0, seen[0]);
    assertEquals(1, seen[1]);
    assertEquals(-Errno.EINVAL, Libc.pinToCpu(1 << 20));
  }

  @Test
  void shouldWakeAPollThroughAnEventfd() {
    int fd = Libc.eventfd(Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC);
    try (NativeArea area = NativeArea.map("pollfd", Libc.POLLFD_BYTES)) {
      Memory.putInt(area.address(), fd);
      Memory.putShort(area.address() + Libc.POLLFD_EVENTS, Libc.POLLIN);
      assertEquals(0, Libc.poll(area.address(), 1, 0));
      long before = System.nanoTime();
      assertEquals(0, Libc.poll(area.address(), 1, 20));
      assertTrue(System.nanoTime() - before >= 20_000_000);
      assertEquals(8, Libc.signal(fd));
      assertEquals(1, Libc.poll(area.address(), 1, -1));
      assertEquals(Libc.POLLIN, Memory.getShort(area.address() + Libc.POLLFD_REVENTS));
    } finally {
      Libc.close(fd);
    }
  }

  @Test
  void shouldAllocateNothingOnHotCalls() {
    int fd = Libc.eventfd(Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC);
    try (NativeArea area = NativeArea.map("pollfd", Libc.POLLFD_BYTES)) {
      Memory.putInt(area.address(), fd);
      long allocated = Allocation.ofBest(() -> hotCalls(fd, area.address(), 20_000));
      assertEquals(0, allocated, "bytes in the best 20,000 rounds");
    } finally {
      Libc.close(fd);
    }
  }

  private static void hotCalls(int fd, long pollfd, int rounds) {
    for (int i = 0; i < rounds; i++) {
      Libc.poll(pollfd, 1, 0);
      Libc.sendtoWake(fd);
      Libc.recvfromWake(fd);
      Libc.monotonicNanos();
    }
  }
}
