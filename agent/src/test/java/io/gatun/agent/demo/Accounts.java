package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.admin.AdminClient;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/** What a daemon's workers counted once traffic stood still; every frame is in it, once. */
record Accounts(JsonNode status) {
  private static final int LOOKS = 100;
  private static final long LOOK_NANOS = 50_000_000;

  /** Waits until the counts stand still and asserts that no worker has lost or made a frame. */
  static Accounts settled(GatunProcess gatun) throws IOException {
    JsonNode before = frames(gatun);
    for (int look = 0; look < LOOKS; look++) {
      LockSupport.parkNanos(LOOK_NANOS);
      JsonNode now = frames(gatun);
      if (now.equals(before)) {
        return new Accounts(now).balanced();
      }
      before = now;
    }
    return fail("traffic does not end: " + before);
  }

  private static JsonNode frames(GatunProcess gatun) throws IOException {
    JsonNode status = AdminClient.ask(gatun.runDirectory().socket(), "status");
    return ((ObjectNode) status)
        .retain("framesIn", "framesOut", "answered", "dropped", "perWorker");
  }

  private Accounts balanced() {
    long handedOff = 0;
    long takenOver = 0;
    long in = 0;
    long made = 0;
    for (JsonNode worker : status.path("perWorker")) {
      assertEquals(
          worker.path("framesIn").asLong()
              + worker.path("takenOver").asLong()
              + worker.path("made").asLong(),
          worker.path("framesOut").asLong()
              + worker.path("handedOff").asLong()
              + worker.path("dropped").asLong(),
          () -> "frames lost or made by a worker: " + worker);
      handedOff += worker.path("handedOff").asLong();
      takenOver += worker.path("takenOver").asLong();
      in += worker.path("framesIn").asLong();
      made += worker.path("made").asLong();
    }
    assertEquals(handedOff, takenOver, () -> "lost between workers: " + status);
    assertEquals(framesIn(), in, status::toString);
    assertEquals(
        framesIn() + made,
        status.path("framesOut").asLong() + status.path("dropped").asLong(),
        status::toString);
    return this;
  }

  long framesIn() {
    return status.path("framesIn").asLong();
  }

  /** Frames that went from worker to worker. */
  long handedOff() {
    long sum = 0;
    for (JsonNode worker : status.path("perWorker")) {
      sum += worker.path("handedOff").asLong();
    }
    return sum;
  }

  @Override
  public String toString() {
    return status.toString();
  }
}
