package io.gatun.ffm.packet;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.ffm.btf.Btf;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Our layouts against those the running kernel was compiled with. */
class PacketLayoutTest {
  @Test
  void shouldWriteTheOffloadHeaderAsTheKernelReadsIt() throws IOException {
    Btf btf = Btf.ofKernel();
    String struct = "virtio_net_hdr";
    assertEquals(btf.size(struct), VirtioNetHeader.BYTES);
    try (NativeArea area = NativeArea.map("header", VirtioNetHeader.BYTES)) {
      long at = area.address();
      VirtioNetHeader.write(at, VirtioNetHeader.TCP_V6, 74, 1428, 54, 16);
      assertEquals(1, Memory.getByte(at + btf.offset(struct, "flags")));
      assertEquals(4, Memory.getByte(at + btf.offset(struct, "gso_type")));
      assertEquals(74, Memory.getShort(at + btf.offset(struct, "hdr_len")));
      assertEquals(1428, Memory.getShort(at + btf.offset(struct, "gso_size")));
      assertEquals(54, Memory.getShort(at + VirtioNetHeader.BYTES - 4));
      assertEquals(16, Memory.getShort(at + VirtioNetHeader.BYTES - 2));
      assertEquals(1, VirtioNetHeader.flags(at));
      assertEquals(VirtioNetHeader.TCP_V6, VirtioNetHeader.segmentType(at));
      assertEquals(74, VirtioNetHeader.headerLength(at));
      assertEquals(1428, VirtioNetHeader.segmentSize(at));
      assertEquals(54, VirtioNetHeader.checksumStart(at));
      assertEquals(16, VirtioNetHeader.checksumOffset(at));
      VirtioNetHeader.writePlain(at);
      for (int i = 0; i < VirtioNetHeader.BYTES; i++) {
        assertEquals(0, Memory.getByte(at + i));
      }
    }
  }

  @Test
  void shouldAgreeWithTheKernel() throws IOException {
    Btf btf = Btf.ofKernel();
    assertEquals(20, btf.size("sockaddr_ll"));
    assertEquals(2, btf.offset("sockaddr_ll", "sll_protocol"));
    assertEquals(4, btf.offset("sockaddr_ll", "sll_ifindex"));
    assertEquals(64, btf.size("mmsghdr"));
    assertEquals(56, btf.offset("mmsghdr", "msg_len"));
    assertEquals(16, btf.offset("user_msghdr", "msg_iov"));
    assertEquals(24, btf.offset("user_msghdr", "msg_iovlen"));
    assertEquals(48, btf.offset("user_msghdr", "msg_flags"));
    assertEquals(16, btf.size("iovec"));
    assertEquals(8, btf.size("sock_filter"));
    assertEquals(16, btf.size("sock_fprog"));
    assertEquals(8, btf.offset("sock_fprog", "filter"));
    assertEquals(8, btf.size("tpacket_stats"));
  }
}
