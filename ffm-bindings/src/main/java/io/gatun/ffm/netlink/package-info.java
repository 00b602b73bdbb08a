/**
 * What the kernel knows about links, addresses, routes and neighbours: rtnetlink.
 *
 * <p>A conversation is messages in datagrams: a header of 16 bytes, a struct for the kind of
 * object, then attributes, each a length and a type before its bytes, padded to four, some with
 * attributes inside:
 *
 * <pre>
 *   nlmsghdr | rtmsg | RTA_DST 10.0.0.0 | RTA_MULTIPATH [ rtnexthop | RTA_GATEWAY … ] | …
 * </pre>
 *
 * {@link io.gatun.ffm.netlink.Rtnetlink} asks and waits, {@link
 * io.gatun.ffm.netlink.NetlinkSubscription} listens. Both see the network namespace in which the
 * creating thread was. Every length is checked against what is really there before it is believed:
 * {@link io.gatun.ffm.netlink.Attributes}. Source: RFC 3549, {@code
 * include/uapi/linux/rtnetlink.h}.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.ffm.netlink;
