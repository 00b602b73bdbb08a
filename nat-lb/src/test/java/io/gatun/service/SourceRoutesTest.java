package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.flow.AddressWords;
import java.net.Inet6Address;
import java.net.InetAddress;
import org.junit.jupiter.api.Test;

class SourceRoutesTest {
  private static InetAddress ip(String literal) {
    return InetAddress.ofLiteral(literal);
  }

  private static String source(SourceAddresses sources, String to) {
    InetAddress address = ip(to);
    boolean ipv6 = address instanceof Inet6Address;
    SourceAddresses.Source found =
        sources.towards(ipv6, AddressWords.high(address), AddressWords.low(address));
    return AddressWords.address(ipv6, found.high6(), ipv6 ? found.low6() : found.low4())
        .getHostAddress();
  }

  @Test
  void shouldTakeTheAddressOfTheWayOutAndElseTheNodes() {
    try (SourceRoutes routes = new SourceRoutes(Runnable::run)) {
      SourceAddresses sources = new SourceAddresses();
      sources.set(ip("192.0.2.1"), ip("fd00::1"));
      assertEquals("192.0.2.1", source(sources, "10.1.2.3"));
      sources.routes(routes);
      routes.put(ip("10.0.0.0"), 8, ip("198.51.100.1"));
      routes.put(ip("10.1.0.0"), 16, ip("203.0.113.1"));
      routes.put(ip("fd01::"), 16, ip("fd01::1"));
      assertEquals("203.0.113.1", source(sources, "10.1.2.3"));
      assertEquals("198.51.100.1", source(sources, "10.2.2.3"));
      assertEquals("192.0.2.1", source(sources, "11.0.0.1"));
      assertEquals(ip("fd01::1").getHostAddress(), source(sources, "fd01::9"));
      assertEquals(ip("fd00::1").getHostAddress(), source(sources, "fd02::9"));
      routes.put(ip("10.1.0.0"), 16, null);
      assertEquals("198.51.100.1", source(sources, "10.1.2.3"));
      routes.put(ip("10.0.0.0"), 8, ip("192.0.2.1"));
      assertEquals("192.0.2.1", source(sources, "10.2.2.3"));
    }
  }
}
