package io.gatun.perf;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Gatun's worker in this process: {@link VethForwarder}. */
final class VethWorker extends VethSide {
  private final double warmUp;
  private @Nullable VethForwarder forwarder;
  private boolean warm;

  VethWorker(VethPath path, Load load, double warmUp) {
    super(path, load);
    this.warmUp = warmUp;
  }

  @Override
  public void enter() throws IOException {
    forwarder = new VethForwarder(path.node());
    if (!warm) { // once: it is this process that compiles
      send(warmUp);
      warm = true;
    }
  }

  @Override
  public void leave() {
    if (forwarder != null) {
      forwarder.close();
      forwarder = null;
    }
  }
}
