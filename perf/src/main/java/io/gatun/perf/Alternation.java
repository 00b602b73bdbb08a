package io.gatun.perf;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Two sides measured in turns, A B B A A B …, so that a machine that drifts drifts for both and
 * each side is set up only every other time. One thread.
 */
final class Alternation {
  /** One of the two: ours or the peer. */
  interface Side {
    /** Sets it up and warms it; nothing of the other side is left by now. */
    void enter() throws IOException;

    /** One run: its figures, always as many and in the same order. */
    double[] measure() throws IOException;

    /** Undoes {@link #enter}, whatever became of it. */
    void leave() throws IOException;
  }

  /** What was measured: a run of both sides after the other; {@code peer} is empty without one. */
  record Runs(List<double[]> ours, List<double[]> peer) {
    /** Figure {@code which} of our runs. */
    double[] ours(int which) {
      return figure(ours, which);
    }

    /** Figure {@code which} of the peer's runs. */
    double[] peer(int which) {
      return figure(peer, which);
    }

    boolean hasPeer() {
      return hasPeer(0);
    }

    /** Whether the peer has a figure {@code which}. */
    boolean hasPeer(int which) {
      return !peer.isEmpty() && which < peer.getFirst().length;
    }

    private static double[] figure(List<double[]> runs, int which) {
      return runs.stream().mapToDouble(run -> run[which]).toArray();
    }
  }

  private Alternation() {}

  /** As many runs of each. */
  static Runs of(int pairs, Side ours, Side peer) throws IOException {
    Runs runs = new Runs(new ArrayList<>(), new ArrayList<>());
    List<Side> sides = List.of(ours, peer);
    List<List<double[]>> figures = List.of(runs.ours, runs.peer);
    Progress progress = new Progress(2 * pairs);
    int now = 0;
    try {
      sides.get(now).enter();
      for (int pair = 0; pair < pairs; pair++) {
        progress.next();
        figures.get(now).add(sides.get(now).measure());
        sides.get(now).leave();
        now = 1 - now;
        sides.get(now).enter();
        progress.next();
        figures.get(now).add(sides.get(now).measure());
      } // who was second in this pair is first in the next
    } catch (IOException | RuntimeException e) {
      undo(sides.get(now), e);
      throw e;
    } finally {
      progress.end();
    }
    sides.get(now).leave();
    return runs;
  }

  /** Only ours. */
  static Runs alone(int runs, Side ours) throws IOException {
    List<double[]> figures = new ArrayList<>();
    Progress progress = new Progress(runs);
    try {
      ours.enter();
      for (int run = 0; run < runs; run++) {
        progress.next();
        figures.add(ours.measure());
      }
    } catch (IOException | RuntimeException e) {
      undo(ours, e);
      throw e;
    } finally {
      progress.end();
    }
    ours.leave();
    return new Runs(figures, List.of());
  }

  /** What failed first is what is said. */
  private static void undo(Side side, Exception cause) {
    try {
      side.leave();
    } catch (IOException | RuntimeException e) {
      cause.addSuppressed(e);
    }
  }
}
