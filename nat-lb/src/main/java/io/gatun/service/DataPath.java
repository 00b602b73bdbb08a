package io.gatun.service;

import io.gatun.bridge.Sightings;
import io.gatun.bridge.SwitchStage;
import io.gatun.bridge.Switchboard;
import io.gatun.fib.Fib;
import io.gatun.fib.NeighbourStage;
import io.gatun.fib.Questions;
import io.gatun.fib.RouteStage;
import io.gatun.fib.SourceStage;
import io.gatun.flow.FlowReversal;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FragmentStage;
import io.gatun.flow.FragmentTable;
import io.gatun.flow.IcmpErrorStage;
import io.gatun.flow.RewriteStage;
import io.gatun.flow.TrackStage;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.ring.frame.FramePool;
import io.gatun.segment.FragmentationStage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The way of a packet: every stage, in order. Written down here and nowhere else; the daemon, the
 * benchmarks and the tests all take it from here. Immutable; one for each worker, whose stages are
 * that worker's alone.
 */
public final class DataPath {
  /** What all workers share. */
  public record Tables(
      Fib fib,
      FlowTable flows,
      FragmentTable fragments,
      ServiceTable services,
      SourceAddresses sources) {}

  /**
   * The overlay's stages.
   *
   * @param decap takes outer headers off, before anybody looks at the packet
   * @param encap puts them on, when its way out is known
   */
  public record Overlay(Stage decap, Stage encap) {
    public static final Overlay NONE = new Overlay(_ -> {}, _ -> {});
  }

  /**
   * What bridged ports need.
   *
   * @param boards what is switched now
   * @param sightings to the control side
   */
  public record Bridging(Supplier<Switchboard> boards, Sightings sightings) {}

  /** A stage by the name that people read. */
  public record Step(String name, Stage stage) {}

  // Names of steps that explain stops at.

  /** Decides on packets that have none. */
  public static final String SERVICE = "service";

  /** Finds the way out. */
  public static final String ROUTE = "route";

  private final List<Step> steps;

  /**
   * New stages over {@code tables}.
   *
   * @param bridging null: nothing is switched
   * @param pool that worker's frames
   * @param questions about neighbours; null: nobody is asked, and packets do not wait for them
   * @param clock nanoseconds of CLOCK_MONOTONIC
   */
  public DataPath(
      Tables tables,
      ParseStage parse,
      Answers answers,
      Overlay overlay,
      @Nullable Bridging bridging,
      FramePool pool,
      @Nullable Questions questions,
      LongSupplier clock) {
    RouteStage route = new RouteStage(tables.fib(), answers, new FlowReversal());
    List<Step> all = new ArrayList<>();
    all.add(new Step("parse", parse));
    all.add(new Step("decap", overlay.decap()));
    if (bridging != null) {
      all.add(new Step("switch", new SwitchStage(bridging.boards(), bridging.sightings(), clock)));
    }
    decide(all, tables, answers, null, clock);
    all.add(new Step(ROUTE, route));
    if (questions != null) {
      all.add(new Step("neighbours", new NeighbourStage(route, questions, clock)));
    }
    all.add(new Step("fragmentation", new FragmentationStage(pool)));
    all.add(new Step("encap", overlay.encap()));
    steps = List.copyOf(all);
  }

  private DataPath(Tables tables, Decision decision, LongSupplier clock) {
    Answers answers = new Answers();
    List<Step> all = new ArrayList<>();
    all.add(new Step("parse", new ParseStage()));
    decide(all, tables, answers, decision, clock);
    all.add(new Step(ROUTE, new RouteStage(tables.fib(), answers, new FlowReversal())));
    steps = List.copyOf(all);
  }

  /**
   * The same until the way out is known, for packets that nobody sent: what is decided about them
   * is written into {@code decision}.
   */
  public static DataPath explaining(Tables tables, Decision decision, LongSupplier clock) {
    return new DataPath(tables, decision, clock);
  }

  /** What decides where a packet goes, and makes it the packet that goes there. */
  private static void decide(
      List<Step> all,
      Tables tables,
      Answers answers,
      @Nullable Decision decision,
      LongSupplier clock) {
    FlowTable flows = tables.flows();
    TrackStage track = new TrackStage(flows, clock);
    all.add(new Step("sources", new SourceStage(tables.fib())));
    all.add(new Step("fragments", new FragmentStage(tables.fragments(), clock)));
    all.add(new Step("track", track));
    all.add(new Step("errors", new IcmpErrorStage(flows)));
    all.add(
        new Step(
            SERVICE,
            new ServiceStage(
                tables.services(), flows, tables.sources(), track, answers, decision)));
    all.add(new Step("rewrite", new RewriteStage()));
  }

  public List<Step> steps() {
    return steps;
  }

  /** The stages without their names, for a worker. */
  public List<Stage> stages() {
    return steps.stream().map(Step::stage).toList();
  }
}
