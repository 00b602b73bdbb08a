package io.gatun.control.kubernetes;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A body that remembers when it last gave something. Read by one thread, asked by any. */
final class HeardStream extends FilterInputStream {
  private volatile long heard = System.nanoTime();

  HeardStream(InputStream in) {
    super(in);
  }

  /** {@link System#nanoTime} of the last bytes. */
  long heard() {
    return heard;
  }

  @Override
  public int read() throws IOException {
    int read = super.read();
    heard = System.nanoTime();
    return read;
  }

  @Override
  public int read(byte[] to, int offset, int length) throws IOException {
    int read = super.read(to, offset, length);
    heard = System.nanoTime();
    return read;
  }
}
