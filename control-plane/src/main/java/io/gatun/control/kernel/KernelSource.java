package io.gatun.control.kernel;

import java.net.InetAddress;

/** Where the kernel's tables come from; for one thread. */
public interface KernelSource extends AutoCloseable {
  /** What the tables say now. */
  KernelTables read();

  /** Something may have changed since {@link #read}: cheap, asked often. */
  boolean changed();

  /** Asks the kernel to find the MAC address of a neighbour, or to confirm it. Does not wait. */
  void resolve(int ifIndex, InetAddress address);

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
        public boolean changed() {
          return false;
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
