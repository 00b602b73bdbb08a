package io.gatun.agent.explain;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.control.document.Addresses;
import io.gatun.control.model.Protocol;
import io.gatun.packet.IpProtocol;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A flow that somebody asks about. Immutable.
 *
 * @param id how the answer is recognized
 * @param protocol the IANA number; ICMPv6 where "ICMP" was asked of IPv6 addresses
 * @param srcPort 0 where it was left out: any one will do
 * @param dstPort 0 for ICMP
 * @param in the interface that it comes by, null: the one that leads to its source
 */
public record FlowQuery(
    String id,
    int protocol,
    InetAddress src,
    int srcPort,
    InetAddress dst,
    int dstPort,
    @Nullable String in) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** "TCP 10.0.0.2:40000 > 10.96.0.10:80", ports where there are any, " in IFACE" at the end. */
  private static final Pattern TEXT =
      Pattern.compile("\\s*(\\w+)\\s+(\\S+)\\s*>\\s*(\\S+?)(?:\\s+in\\s+(\\S+))?\\s*");

  private static final Pattern BRACKETED = Pattern.compile("\\[([^\\]]+)\\](?::(\\d{1,5}))?");
  private static final Pattern DOTTED = Pattern.compile("([0-9.]+)(?::(\\d{1,5}))?");

  /** Reads the {@code --flow} form. */
  public static FlowQuery parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "flow: got \"" + text + "\", expected \"PROTO SRC:PORT > DST:PORT\"");
    }
    Side src = Side.parse("src", matcher.group(2));
    Side dst = Side.parse("dst", matcher.group(3));
    return of(
        text.strip(),
        matcher.group(1),
        src.address,
        src.port,
        dst.address,
        dst.port,
        matcher.group(4));
  }

  private record Side(InetAddress address, int port) {
    static Side parse(String what, String text) {
      Matcher matcher = BRACKETED.matcher(text);
      if (!matcher.matches()) {
        matcher = DOTTED.matcher(text);
        if (!matcher.matches()) {
          return new Side(FlowQuery.address(what, text), 0); // IPv6 without a port
        }
      }
      String port = matcher.group(2);
      return new Side(
          FlowQuery.address(what, matcher.group(1)),
          port == null ? 0 : number(what, Integer.parseInt(port)));
    }
  }

  /** Reads the lines of a {@code --flows} file: one JSON object each; empty lines mean nothing. */
  public static List<FlowQuery> parseLines(List<String> lines) {
    List<FlowQuery> queries = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).isBlank()) {
        try {
          queries.add(of(JSON.readTree(lines.get(i)), String.valueOf(i + 1)));
        } catch (JsonProcessingException e) {
          throw new IllegalArgumentException(
              "line " + (i + 1) + ": got no JSON, expected an object a line", e);
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException("line " + (i + 1) + ": " + e.getMessage(), e);
        }
      }
    }
    return queries;
  }

  /** Reads one JSON object; {@code fallbackId} where it has none. */
  public static FlowQuery of(JsonNode object, String fallbackId) {
    if (!object.isObject()) {
      throw new IllegalArgumentException("got " + object + ", expected an object");
    }
    JsonNode id = object.path("id");
    return of(
        id.isMissingNode() || id.isNull() ? fallbackId : id.asText(),
        text(object, "protocol"),
        address("src", text(object, "src")),
        port(object, "srcPort"),
        address("dst", text(object, "dst")),
        port(object, "dstPort"),
        object.path("in").isTextual() ? object.path("in").asText() : null);
  }

  private static FlowQuery of(
      String id,
      String protocol,
      InetAddress src,
      int srcPort,
      InetAddress dst,
      int dstPort,
      @Nullable String in) {
    boolean ipv6 = Addresses.isIpv6(src);
    if (ipv6 != Addresses.isIpv6(dst)) {
      throw new IllegalArgumentException("src and dst are of two families, expected one");
    }
    int number = protocol(protocol, ipv6);
    boolean icmp = number == IpProtocol.ICMP || number == IpProtocol.ICMPV6;
    if (!icmp && dstPort == 0) {
      throw new IllegalArgumentException("dstPort: got nothing, expected a port from 1 to 65535");
    }
    return new FlowQuery(id, number, src, srcPort, dst, icmp ? 0 : dstPort, in);
  }

  private static int protocol(String word, boolean ipv6) {
    return switch (word.toUpperCase(Locale.ROOT)) {
      case "TCP" -> IpProtocol.TCP;
      case "UDP" -> IpProtocol.UDP;
      case "SCTP" -> IpProtocol.SCTP;
      case "ICMP", "ICMPV6" -> ipv6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP;
      default ->
          throw new IllegalArgumentException(
              "protocol: got \"" + word + "\", expected one of TCP, UDP, SCTP, ICMP");
    };
  }

  private static String text(JsonNode object, String name) {
    JsonNode field = object.path(name);
    if (!field.isTextual()) {
      throw new IllegalArgumentException(
          name + ": got " + (field.isMissingNode() ? "nothing" : field) + ", expected a string");
    }
    return field.asText();
  }

  private static InetAddress address(String name, String text) {
    InetAddress address = Addresses.parse(text);
    if (address == null) {
      throw new IllegalArgumentException(name + ": got \"" + text + "\", expected an IP address");
    }
    return address;
  }

  private static int port(JsonNode object, String name) {
    JsonNode field = object.path(name);
    if (field.isMissingNode() || field.isNull()) {
      return 0;
    }
    if (!field.isIntegralNumber()) {
      throw new IllegalArgumentException(
          name + ": got " + field + ", expected a port from 1 to 65535");
    }
    return number(name, field.asLong());
  }

  private static int number(String name, long port) {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException(
          name + ": got " + port + ", expected a port from 1 to 65535");
    }
    return (int) port;
  }

  /** As {@link #of(JsonNode, String)} reads it. */
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("id", id);
    boolean echo = protocol == IpProtocol.ICMP || protocol == IpProtocol.ICMPV6;
    object.put("protocol", echo ? "ICMP" : Protocol.word(protocol));
    object.put("src", Addresses.text(src));
    object.put("srcPort", srcPort);
    object.put("dst", Addresses.text(dst));
    object.put("dstPort", dstPort);
    if (in != null) {
      object.put("in", in);
    }
    return object;
  }

  boolean ipv6() {
    return Addresses.isIpv6(src);
  }
}
