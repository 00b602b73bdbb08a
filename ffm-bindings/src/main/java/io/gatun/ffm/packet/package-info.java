/**
 * AF_PACKET sockets that carry whole segments: a frame as the kernel's stack handed it to the
 * device, up to 64 KiB, with the offload header that says what is still to be done to it.
 *
 * <pre>
 *   one message, in and out
 *   ┌───────────────────────┬──────────┬────────┬─────────┬──────────── … ┐
 *   │ struct virtio_net_hdr │ Ethernet │ IP     │ TCP     │ payload       │
 *   │ 10 bytes              │          │        │         │ up to 64 KiB  │
 *   └───────────────────────┴──────────┴────────┴─────────┴──────────── … ┘
 *     flags, gso type and size, where the checksum starts and belongs
 * </pre>
 *
 * Messages travel in batches, one system call each (recvmmsg(2), sendmmsg(2)). The mapped rings of
 * packet(7) are not used: a transmit ring lends its pages to the receiving stack of a veth peer and
 * calls them free as soon as that stack orphans the buffer, before the data has been read; a
 * receive ring for segments would hold 68 KiB a slot for each interface, busy or not.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.ffm.packet;
