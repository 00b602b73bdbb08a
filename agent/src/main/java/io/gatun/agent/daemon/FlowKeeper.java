package io.gatun.agent.daemon;

import io.gatun.flow.FlowTable;
import io.gatun.service.ServiceCopy;
import io.gatun.service.ServiceTable;
import io.gatun.service.SourceAddresses;
import java.lang.System.Logger.Level;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Lets the flow table grow ahead of its flows, and says it before room or source ports become
 * scarce. A thread of its own, because the control thread may be busy for longer than a flood takes
 * to fill what there is.
 */
final class FlowKeeper implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("gatun.flow");

  private static final int[] LEVELS = {60, 80, 95};

  /** Below a level by so much before it is told of again. */
  private static final int HYSTERESIS = 5;

  private static final int PORTS_SCARCE = 80;
  private static final long PERIOD = TimeUnit.SECONDS.toNanos(1);
  private static final int NAMED = 3;
  private static final int LEAST_PAUSE = 4;
  private static final int PAUSE = 40;

  /** Where it cannot grow any more. */
  private static final int LONGEST_PAUSE = 100;

  private static final int NEW_FLOWS_A_MILLISECOND = 2000;

  private final FlowTable flows;
  private final ServiceTable services;
  private final SourceAddresses sources;
  private final Thread thread;
  private volatile boolean running = true;
  private volatile int portsUsedPercent;
  private int lastSize;
  private int told;
  private boolean toldOfPorts;

  FlowKeeper(FlowTable flows, ServiceTable services, SourceAddresses sources) {
    this.flows = flows;
    this.services = services;
    this.sources = sources;
    thread = Thread.ofPlatform().name("flow-keeper").daemon(true).unstarted(this::run);
  }

  FlowKeeper start() {
    thread.start();
    return this;
  }

  /** Of the source ports towards the destination that has fewest left, within the last second. */
  int portsUsedPercent() {
    return portsUsedPercent;
  }

  private void run() {
    long looked = System.nanoTime();
    try {
      while (running) {
        boolean grew = flows.grow();
        long now = System.nanoTime();
        if (now - looked >= PERIOD) {
          looked = now;
          look();
        }
        if (!grew) {
          TimeUnit.MILLISECONDS.sleep(pause());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Milliseconds: fewer as room runs short, for two million new flows a second must not outrun us,
   * and fewest where so many come that an eighth of the room is gone since the last look. Each look
   * is a moment that a client on this core may wait for.
   */
  private int pause() {
    int room = flows.room();
    if (room == flows.capacity()) {
      return LONGEST_PAUSE;
    }
    int size = flows.size();
    int came = size - lastSize;
    lastSize = size;
    int left = room - size;
    return came > left / 8
        ? LEAST_PAUSE
        : Math.clamp(left / NEW_FLOWS_A_MILLISECOND, LEAST_PAUSE, PAUSE);
  }

  /** Once a second. */
  void look() {
    int percent = (int) (100L * flows.size() / flows.capacity());
    int level = level(percent);
    if (level > told) {
      LOG.log(
          Level.WARNING,
          "{0} % of conntrack.maxFlows are in use: {1} of {2}; most of them by {3}; {4} gave way",
          percent,
          Integer.toString(flows.size()),
          Integer.toString(flows.capacity()),
          holders(),
          Long.toString(flows.evicted()));
    }
    told = level > told || percent <= told - HYSTERESIS ? level : told;
    int ports = sources.takeUsedPercent();
    portsUsedPercent = ports;
    if (ports >= PORTS_SCARCE && !toldOfPorts) {
      LOG.log(
          Level.WARNING,
          "{0} % of the source ports towards one endpoint are in use; widen snatPorts,"
              + " or let the Service have more endpoints",
          ports);
    }
    toldOfPorts = ports >= PORTS_SCARCE - HYSTERESIS;
  }

  private static int level(int percent) {
    int level = 0;
    for (int at : LEVELS) {
      level = percent >= at ? at : level;
    }
    return level;
  }

  /** The Services with the most flows, and how many they have. */
  private String holders() {
    Map<String, Integer> counts = new HashMap<>();
    for (ServiceCopy copy : services.services()) {
      counts.putIfAbsent(copy.spec().service(), flows.flows(copy.number()));
    }
    List<Map.Entry<String, Integer>> most =
        counts.entrySet().stream()
            .filter(entry -> entry.getValue() > 0)
            .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder()))
            .limit(NAMED)
            .toList();
    return most.isEmpty()
        ? "no Service"
        : most.stream()
            .map(entry -> entry.getKey() + " (" + entry.getValue() + ")")
            .collect(Collectors.joining(", "));
  }

  /** Ends the thread; when this returns the table grows no more. */
  @Override
  public void close() {
    running = false;
    try {
      thread.join(TimeUnit.SECONDS.toMillis(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
