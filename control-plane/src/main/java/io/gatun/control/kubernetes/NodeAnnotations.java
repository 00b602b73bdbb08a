package io.gatun.control.kubernetes;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes annotations of one Node, by its {@code status} subresource as flannel does, so that the
 * right to {@code patch nodes/status} is enough. The latest wish counts and is repeated until the
 * server takes it; writes are a second apart at least, so that whoever is of another mind cannot
 * make us write without end. Any thread.
 */
public final class NodeAnnotations implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NodeAnnotations.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long SOONEST_MILLIS = 1000;
  private static final long LATEST_MILLIS = 60_000;

  private final ApiServer server;
  private final String path;
  private final ScheduledExecutorService writer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("node annotations").daemon(true).factory());
  private final Backoff backoff =
      new Backoff(SOONEST_MILLIS, LATEST_MILLIS, RandomGenerator.getDefault());
  private final AtomicReference<@Nullable Map<String, String>> wish = new AtomicReference<>();
  private boolean denied;
  private long lastWrite = System.nanoTime() - TimeUnit.MILLISECONDS.toNanos(SOONEST_MILLIS);

  /** Asks nobody before the first {@link #want}. */
  public NodeAnnotations(ApiServer server, String node) {
    this.server = server;
    this.path = "/api/v1/nodes/" + URLEncoder.encode(node, StandardCharsets.UTF_8) + "/status";
  }

  /** The Node shall have {@code annotations}, whatever others it has. */
  public void want(Map<String, String> annotations) {
    if (wish.getAndSet(Map.copyOf(annotations)) == null) {
      writer.execute(this::write);
    }
  }

  private void write() {
    long since = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - lastWrite);
    if (since < SOONEST_MILLIS) {
      again(SOONEST_MILLIS - since);
      return;
    }
    Map<String, String> wanted = wish.getAndSet(null);
    if (wanted == null) {
      return;
    }
    lastWrite = System.nanoTime();
    try {
      server.patch(
          path, JSON.writeValueAsString(Map.of("metadata", Map.of("annotations", wanted))));
      backoff.reset();
      denied = false;
      LOG.info("annotations of {} are written", path);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a map of strings is JSON", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      failed(e);
      wish.compareAndSet(null, wanted); // a newer one counts
      again(backoff.nextMillis(e instanceof ApiException a ? a.retryAfterSeconds() * 1000 : 0));
    }
  }

  private void failed(IOException e) {
    boolean refused = e instanceof ApiException answer && answer.isDenied();
    if (!refused || !denied) {
      LOG.warn(
          "annotations of {}: {}{}",
          path,
          e.getMessage(),
          refused ? "; grant patch on nodes/status (deploy/overlay/rbac.yaml)" : "");
    }
    denied = refused;
  }

  private void again(long millis) {
    if (!writer.isShutdown()) {
      var _ = writer.schedule(this::write, millis, TimeUnit.MILLISECONDS);
    }
  }

  /** Gives up what is not written yet. */
  @Override
  public void close() {
    writer.shutdownNow();
  }
}
