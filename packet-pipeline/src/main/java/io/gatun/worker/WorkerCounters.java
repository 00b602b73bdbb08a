package io.gatun.worker;

import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.Verdict;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What one worker has counted since its start: single writer, many readers. Reading is wait-free
 * from any thread; counts read one after the other need not be of the same instant.
 *
 * <p>Frames are conserved: once the worker stands still, {@link #received} + {@link #takenOver} +
 * {@link #made} = {@link #transmitted} + {@link #handedOff} + {@link #dropped}.
 */
public final class WorkerCounters {
  /** Ports that a node can have: their numbers are below it. */
  public static final int PORTS = 1024;

  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

  // A cache line of nothing on both sides: what the worker writes nobody else's data shares.
  private static final int HEARTBEAT = 8;
  private static final int PARKED = HEARTBEAT + 1;
  private static final int IDLE = HEARTBEAT + 2;
  private static final int HANDED_OFF = HEARTBEAT + 3;
  private static final int TAKEN_OVER = HEARTBEAT + 4;
  private static final int MADE = HEARTBEAT + 5;
  private static final int VERDICT = HEARTBEAT + 8;
  private static final int DROP = VERDICT + 8;
  private static final int PORT = DROP + DropReason.LIMIT;
  private static final int PER_PORT = 4;
  private static final int SIZE = PORT + PORTS * PER_PORT + 8;

  private static final int RX_FRAMES = 0;
  private static final int RX_BYTES = 1;
  private static final int TX_FRAMES = 2;
  private static final int TX_BYTES = 3;

  private final long[] cells = new long[SIZE];

  private long read(int cell) {
    return (long) CELL.getOpaque(cells, cell);
  }

  private void add(int cell, long delta) {
    CELL.setOpaque(cells, cell, cells[cell] + delta); // single writer: no read-modify-write needed
  }

  /** Duty cycles so far; stands still when the worker does. */
  public long heartbeat() {
    return (long) CELL.getAcquire(cells, HEARTBEAT); // pairs with beat
  }

  /** Duty cycles that found nothing to do. */
  public long idleCycles() {
    return read(IDLE);
  }

  /** Asleep in poll(2) at this moment, on purpose. */
  public boolean isParked() {
    return (long) CELL.getAcquire(cells, PARKED) != 0; // pairs with parked
  }

  /** Packets that ended as {@code verdict} (see {@link Verdict}), before any failure to send. */
  public long verdicts(int verdict) {
    return read(VERDICT + verdict);
  }

  /** Packets dropped for {@code reason}. */
  public long drops(DropReason reason) {
    return read(DROP + reason.code());
  }

  /** Packets dropped for whatever reason. */
  public long dropped() {
    return sum(DROP, DropReason.LIMIT, 1);
  }

  /** Frames given to other workers, which own their way out. */
  public long handedOff() {
    return read(HANDED_OFF);
  }

  /** Frames taken from other workers. */
  public long takenOver() {
    return read(TAKEN_OVER);
  }

  /** Frames that packets were cut into, beyond one each. */
  public long made() {
    return read(MADE);
  }

  public long rxFrames(int port) {
    return read(PORT + port * PER_PORT + RX_FRAMES);
  }

  public long rxBytes(int port) {
    return read(PORT + port * PER_PORT + RX_BYTES);
  }

  public long txFrames(int port) {
    return read(PORT + port * PER_PORT + TX_FRAMES);
  }

  public long txBytes(int port) {
    return read(PORT + port * PER_PORT + TX_BYTES);
  }

  /** Frames received on all ports. */
  public long received() {
    return sum(PORT + RX_FRAMES, PORTS, PER_PORT);
  }

  /** Frames sent on all ports. */
  public long transmitted() {
    return sum(PORT + TX_FRAMES, PORTS, PER_PORT);
  }

  private long sum(int from, int count, int stride) {
    long sum = 0;
    for (int i = 0; i < count; i++) {
      sum += read(from + i * stride);
    }
    return sum;
  }

  // The worker's side.

  void beat() {
    CELL.setRelease(cells, HEARTBEAT, cells[HEARTBEAT] + 1);
  }

  void idled() {
    add(IDLE, 1);
  }

  void parked(boolean asleep) {
    CELL.setVolatile(cells, PARKED, asleep ? 1L : 0L); // before the last look at the hand-off rings
  }

  void ended(int verdict, long packets) {
    add(VERDICT + verdict, packets);
  }

  void drop(int reasonCode) {
    add(DROP + reasonCode, 1);
  }

  void handOff() {
    add(HANDED_OFF, 1);
  }

  void made(long frames) {
    add(MADE, frames);
  }

  void takeOver(long frames) {
    add(TAKEN_OVER, frames);
  }

  void rx(int port, long frames, long bytes) {
    add(PORT + port * PER_PORT + RX_FRAMES, frames);
    add(PORT + port * PER_PORT + RX_BYTES, bytes);
  }

  /** Once a packet, so plain stores; the next {@link #beat} publishes them. */
  void tx(int port, long bytes) {
    long[] c = cells;
    int at = PORT + port * PER_PORT;
    c[at + TX_FRAMES]++;
    c[at + TX_BYTES] += bytes;
  }
}
