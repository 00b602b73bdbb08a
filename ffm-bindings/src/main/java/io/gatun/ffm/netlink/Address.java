package io.gatun.ffm.netlink;

import io.gatun.ffm.netlink.Attributes.Layout;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * An address of a device, immutable.
 *
 * @param scope 0 universe, 253 link, 254 host
 */
public record Address(int ifIndex, InetAddress address, int prefixLength, int scope)
    implements KernelObject {

  // struct ifaddrmsg: family u8, prefixlen u8, flags u8, scope u8, index u32
  static final Layout LAYOUT = new Layout("ifaddrmsg", 8);
  static final int PREFIX_LENGTH = 1;
  static final int SCOPE = 3;
  static final int INDEX = 4;
  private static final int IFA_ADDRESS = 1;
  private static final int IFA_LOCAL = 2;

  static Address parse(ByteBuffer body) {
    Attributes attributes = LAYOUT.attributes(body);
    int family = body.get(0) & 0xFF;
    // On point-to-point links IFA_ADDRESS is the peer's; ours is then IFA_LOCAL.
    InetAddress address = attributes.address(IFA_LOCAL, family);
    if (address == null) {
      address = attributes.address(IFA_ADDRESS, family);
    }
    if (address == null) {
      throw Attributes.malformed("an address without IFA_ADDRESS");
    }
    return new Address(
        body.getInt(INDEX),
        address,
        Attributes.prefixLength(body.get(PREFIX_LENGTH) & 0xFF, family),
        body.get(SCOPE) & 0xFF);
  }
}
