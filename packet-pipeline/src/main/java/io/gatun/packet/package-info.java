/**
 * The bytes of packets: one protocol, one file, and every file in the same order (where the fields
 * are, does it fit, read, write, checksum, print).
 *
 * <p>A header is an address, nothing else: {@code Ipv4.source(l3)} reads the four bytes at {@code
 * l3 + 12}. Nothing is checked on the way: {@code ParseStage} proves all lengths once, by the
 * {@code fits} methods, and whoever gets a packet from it may read and write every field that it
 * named.
 *
 * <pre>
 *   Ethernet │ Vlan, Vlan │ Ipv4 (options)  or  Ipv6 (extension headers) │ Tcp, Udp, Icmp, Icmpv6, Sctp
 *            │ Arp
 * </pre>
 *
 * <p>Values are in host order (the number that the big-endian field spells): IPv4 addresses are an
 * {@code int}, MAC addresses the lower 48 bits of a {@code long}, IPv6 addresses two {@code long}s,
 * high and low. Checksums and their sums are 16 bits as they stand in the packet ({@link
 * io.gatun.packet.Checksum}). {@link io.gatun.packet.Answer} turns a packet into our reply to it
 * where it lies.
 */
@NullMarked
package io.gatun.packet;

import org.jspecify.annotations.NullMarked;
