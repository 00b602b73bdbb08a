/**
 * bpf(2) without libbpf: maps, one kind of program (XDP), links and pins.
 *
 * <p>Our program in the kernel is a few dozen instructions, so it is assembled here ({@link
 * io.gatun.ffm.bpf.BpfAssembler}) instead of compiled elsewhere and carried as a blob. A
 * <em>map</em> is memory that program and process share; a <em>link</em> is the attachment of a
 * program to a device, and ends with its last descriptor; a <em>pin</em> is a name in a bpffs that
 * keeps map, program or link alive without a process:
 *
 * <pre>
 *   assembler ─▶ loadXdp ─▶ program fd ─▶ createXdpLink ─▶ link fd ─▶ pin(/run/gatun/bpf/…)
 *   createMap ─▶ map fd ─▶ update(queue → socket) ─────────────────▶ pin
 * </pre>
 *
 * Source: {@code include/uapi/linux/bpf.h}. Needs CAP_BPF and CAP_NET_ADMIN.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.ffm.bpf;
