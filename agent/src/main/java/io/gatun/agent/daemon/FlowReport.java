package io.gatun.agent.daemon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.control.document.Addresses;
import io.gatun.control.model.Protocol;
import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowCopy;
import io.gatun.flow.FlowState;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowView;
import io.gatun.service.ServiceCopy;
import io.gatun.service.ServiceTable;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The flow table for people: chosen flows, or how many there are of which kind and whose. Reads
 * where the flows stand, from any thread; nothing here stops a worker.
 */
final class FlowReport {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** More rows than anybody reads, and a bound on what one request may cost. */
  private static final int MOST_ROWS = 10_000;

  private static final int TOP = 10;

  private static final Set<String> FIELDS =
      Set.of("address", "service", "state", "protocol", "limit", "summary");

  private final FlowTable flows;
  private final ServiceTable services;

  FlowReport(FlowTable flows, ServiceTable services) {
    this.flows = flows;
    this.services = services;
  }

  /** What is asked for; null: whatever it is. */
  private record Wanted(
      @Nullable InetAddress address,
      @Nullable String service,
      @Nullable FlowState state,
      @Nullable Integer protocol,
      int limit,
      boolean summary) {
    static final Wanted ALL = new Wanted(null, null, null, null, MOST_ROWS, false);

    static Wanted of(JsonNode question) {
      question
          .fieldNames()
          .forEachRemaining(name -> {
            if (!FIELDS.contains(name)) {
              throw new IllegalArgumentException(
                  "got %s, expected one of %s".formatted(name, new TreeSet<>(FIELDS)));
            }
          });
      String address = text(question, "address");
      String state = text(question, "state");
      String protocol = text(question, "protocol");
      return new Wanted(
          address == null ? null : InetAddress.ofLiteral(address),
          text(question, "service"),
          state == null ? null : state(state),
          protocol == null ? null : protocol(protocol),
          Math.clamp(question.path("limit").asInt(MOST_ROWS), 1, MOST_ROWS),
          question.path("summary").asBoolean());
    }

    private static @Nullable String text(JsonNode question, String name) {
      JsonNode value = question.path(name);
      return value.isMissingNode() || value.isNull() ? null : value.asText();
    }

    private static FlowState state(String word) {
      for (FlowState state : FlowState.values()) {
        if (state.label().equalsIgnoreCase(word.replace('-', '_'))) {
          return state;
        }
      }
      throw new IllegalArgumentException(
          "state: got %s, expected one of %s"
              .formatted(
                  word,
                  java.util.Arrays.stream(FlowState.values()).map(FlowState::label).toList()));
    }

    private static int protocol(String word) {
      return switch (word.toUpperCase(Locale.ROOT)) {
        case "TCP" -> 6;
        case "UDP" -> 17;
        case "SCTP" -> 132;
        case "ICMP" -> 1;
        case "ICMPV6" -> 58;
        default ->
            throw new IllegalArgumentException(
                "protocol: got " + word + ", expected TCP, UDP, SCTP, ICMP or ICMPv6");
      };
    }
  }

  /** All flows, as far as anybody reads them. */
  Object rows(int now) {
    return rows(Wanted.ALL, now);
  }

  /** Answers {@code {"address", "service", "state", "protocol", "limit", "summary"}}. */
  Object answer(String question, int now) {
    try {
      Wanted wanted = Wanted.of(JSON.readTree(question));
      return wanted.summary ? summary(wanted) : rows(wanted, now);
    } catch (JsonProcessingException | IllegalArgumentException e) {
      return Map.of("error", "flows: " + e.getMessage());
    }
  }

  private List<Map<String, Object>> rows(Wanted wanted, int now) {
    Map<Integer, String> names = names();
    return flows.copies(flow -> chosen(flow, wanted, names), wanted.limit, now).stream()
        .map(flow -> row(flow, names))
        .toList();
  }

  private Map<Integer, String> names() {
    Map<Integer, String> names = new HashMap<>();
    for (ServiceCopy copy : services.services()) {
      names.put(copy.number(), copy.spec().service());
    }
    return names;
  }

  private static boolean chosen(FlowView flow, Wanted wanted, Map<Integer, String> names) {
    return (wanted.state == null || wanted.state == flow.state())
        && (wanted.protocol == null || wanted.protocol == flow.protocol())
        && (wanted.address == null || has(flow, wanted.address))
        && (wanted.service == null || is(names.get(flow.service()), wanted.service));
  }

  /** {@code namespace/name:port}; also without the port, and without the namespace. */
  private static boolean is(@Nullable String name, String wanted) {
    if (name == null || name.equals(wanted)) {
      return name != null;
    }
    String whole = name.contains(":") ? name.substring(0, name.lastIndexOf(':')) : name;
    return whole.equals(wanted) || whole.substring(whole.indexOf('/') + 1).equals(wanted);
  }

  private static boolean has(FlowView flow, InetAddress address) {
    if (AddressWords.ipv6(address) != flow.ipv6()) {
      return false;
    }
    long high = AddressWords.high(address);
    long low = AddressWords.low(address);
    return (flow.clientLow() == low && flow.clientHigh() == high)
        || (flow.frontLow() == low && flow.frontHigh() == high)
        || (flow.endpointLow() == low && flow.endpointHigh() == high)
        || (flow.sourceLow() == low && flow.sourceHigh() == high);
  }

  private static Map<String, Object> row(FlowCopy flow, Map<Integer, String> names) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("protocol", word(flow.protocol()));
    row.put("client", text(flow.client(), flow.clientPort()));
    row.put("front", text(flow.front(), flow.frontPort()));
    row.put("endpoint", text(flow.endpoint(), flow.endpointPort()));
    row.put("source", text(flow.source(), flow.sourcePort()));
    row.put("service", names.get(flow.service()));
    row.put("state", flow.state().label());
    row.put("idleSeconds", flow.idleSeconds());
    row.put("ageSeconds", flow.ageSeconds());
    return row;
  }

  private static String word(int protocol) {
    return switch (protocol) {
      case 1 -> "ICMP";
      case 58 -> "ICMPv6";
      default -> Protocol.word(protocol);
    };
  }

  private static String text(InetAddress address, int port) {
    return io.gatun.control.document.Addresses.text(new InetSocketAddress(address, port));
  }

  /** Counts of the chosen flows by state, by Service, and whose most of them are. */
  private Map<String, Object> summary(Wanted wanted) {
    Map<Integer, String> names = names();
    EnumMap<FlowState, Integer> states = new EnumMap<>(FlowState.class);
    Map<String, Integer> byService = new HashMap<>();
    Tally<InetAddress> clients = new Tally<>();
    Tally<String> endpoints = new Tally<>();
    int[] count = {0};
    flows.forEach(flow -> {
      if (chosen(flow, wanted, names)) {
        count[0]++;
        states.merge(flow.state(), 1, Integer::sum);
        byService.merge(names.getOrDefault(flow.service(), "(none)"), 1, Integer::sum);
        boolean six = flow.ipv6();
        clients.count(AddressWords.address(six, flow.clientHigh(), flow.clientLow()));
        endpoints.count(
            text(
                AddressWords.address(six, flow.endpointHigh(), flow.endpointLow()),
                flow.endpointPort()));
      }
    });
    Map<String, Object> summary = new LinkedHashMap<>();
    summary.put("flows", count[0]);
    summary.put("maxFlows", flows.capacity());
    summary.put("evicted", flows.evicted());
    Map<String, Integer> byState = new LinkedHashMap<>();
    states.forEach((state, n) -> byState.put(state.label(), n));
    summary.put("byState", byState);
    summary.put("byService", most(byService));
    Map<String, Integer> topClients = new LinkedHashMap<>();
    clients.top(TOP).forEach((address, n) -> topClients.put(Addresses.text(address), n));
    summary.put("topClients", topClients);
    summary.put("topEndpoints", endpoints.top(TOP));
    return summary;
  }

  private static Map<String, Integer> most(Map<String, Integer> counts) {
    Map<String, Integer> most = new LinkedHashMap<>();
    counts.entrySet().stream()
        .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder()))
        .forEach(entry -> most.put(entry.getKey(), entry.getValue()));
    return most;
  }
}
