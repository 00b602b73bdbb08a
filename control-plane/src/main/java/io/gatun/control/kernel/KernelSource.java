package io.gatun.control.kernel;

import io.gatun.control.document.MacAddress;
import java.net.InetAddress;
import java.util.function.Consumer;

/**
 * Where the kernel's tables come from. {@link #read} is for one thread at a time, whichever; the
 * rest is for the control thread.
 */
public interface KernelSource extends AutoCloseable {
  /** What the tables say now. */
  KernelTables read();

  /**
   * Hands over what changed since it was last asked, up to about {@code most} changes; cheap when
   * there is nothing. False when some were lost: then {@link #read} all again.
   */
  boolean changes(int most, Consumer<KernelChange> consumer);

  /** Asks the kernel to find the MAC address of a neighbour, or to confirm it. Does not wait. */
  void resolve(int ifIndex, InetAddress address);

  /**
   * Has a bridge learn that {@code mac} is behind its port {@code ifIndex}, or keep it in mind for
   * another while.
   *
   * @param vlan 0 where the bridge does not tell VLANs apart
   */
  default void learn(int ifIndex, MacAddress mac, int vlan) {}

  /** A file descriptor that poll(2) finds readable when there are changes; -1 for none. */
  default int descriptor() {
    return -1;
  }

  @Override
  void close();

  /** No kernel at all: the configuration alone says what there is. */
  KernelSource NONE =
      new KernelSource() {
        @Override
        public KernelTables read() {
          return KernelTables.EMPTY;
        }

        @Override
        public boolean changes(int most, Consumer<KernelChange> consumer) {
          return true;
        }

        @Override
        public void resolve(int ifIndex, InetAddress address) {
          // Nobody to ask.
        }

        @Override
        public void close() {
          // Nothing is held.
        }
      };
}
