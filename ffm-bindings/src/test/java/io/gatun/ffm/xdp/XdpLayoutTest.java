package io.gatun.ffm.xdp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.ffm.btf.Btf;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Our layouts against those the running kernel was compiled with. */
class XdpLayoutTest {
  @Test
  void shouldAgreeWithTheKernel() throws IOException {
    Btf btf = Btf.ofKernel();
    assertEquals(btf.size("xdp_umem_reg"), Xdp.UMEM_REG_BYTES);
    assertEquals(btf.offset("xdp_umem_reg", "addr"), Xdp.UMEM_REG_ADDR);
    assertEquals(btf.offset("xdp_umem_reg", "len"), Xdp.UMEM_REG_LEN);
    assertEquals(btf.offset("xdp_umem_reg", "chunk_size"), Xdp.UMEM_REG_CHUNK_SIZE);
    assertEquals(btf.offset("xdp_umem_reg", "headroom"), Xdp.UMEM_REG_HEADROOM);
    assertEquals(btf.offset("xdp_umem_reg", "flags"), Xdp.UMEM_REG_FLAGS);
    assertEquals(btf.offset("xdp_umem_reg", "tx_metadata_len"), Xdp.UMEM_REG_TX_METADATA_LEN);
    assertEquals(btf.size("sockaddr_xdp"), Xdp.SOCKADDR_BYTES);
    assertEquals(btf.offset("sockaddr_xdp", "sxdp_family"), Xdp.SOCKADDR_FAMILY);
    assertEquals(btf.offset("sockaddr_xdp", "sxdp_flags"), Xdp.SOCKADDR_FLAGS);
    assertEquals(btf.offset("sockaddr_xdp", "sxdp_ifindex"), Xdp.SOCKADDR_IFINDEX);
    assertEquals(btf.offset("sockaddr_xdp", "sxdp_queue_id"), Xdp.SOCKADDR_QUEUE_ID);
    assertEquals(btf.offset("sockaddr_xdp", "sxdp_shared_umem_fd"), Xdp.SOCKADDR_SHARED_UMEM_FD);
    assertEquals(btf.size("xdp_ring_offset"), Xdp.RING_OFFSET_BYTES);
    assertEquals(0, btf.offset("xdp_ring_offset", "producer"));
    assertEquals(8, btf.offset("xdp_ring_offset", "consumer"));
    assertEquals(16, btf.offset("xdp_ring_offset", "desc"));
    assertEquals(24, btf.offset("xdp_ring_offset", "flags"));
    assertEquals(btf.size("xdp_mmap_offsets"), Xdp.MMAP_OFFSETS_BYTES);
    assertEquals(0, btf.offset("xdp_mmap_offsets", "rx"));
    assertEquals(32, btf.offset("xdp_mmap_offsets", "tx"));
    assertEquals(64, btf.offset("xdp_mmap_offsets", "fr"));
    assertEquals(96, btf.offset("xdp_mmap_offsets", "cr"));
    assertEquals(btf.size("xdp_statistics"), Xdp.STATISTICS_BYTES);
    assertEquals(0, btf.offset("xdp_statistics", "rx_dropped"));
    assertEquals(8, btf.offset("xdp_statistics", "rx_invalid_descs"));
    assertEquals(16, btf.offset("xdp_statistics", "tx_invalid_descs"));
    assertEquals(24, btf.offset("xdp_statistics", "rx_ring_full"));
    assertEquals(32, btf.offset("xdp_statistics", "rx_fill_ring_empty_descs"));
    assertEquals(40, btf.offset("xdp_statistics", "tx_ring_empty_descs"));
    assertEquals(btf.size("xdp_desc"), Xdp.DESC_BYTES);
    assertEquals(btf.offset("xdp_desc", "addr"), Xdp.DESC_ADDR);
    assertEquals(btf.offset("xdp_desc", "len"), Xdp.DESC_LEN);
    assertEquals(btf.offset("xdp_desc", "options"), Xdp.DESC_OPTIONS);
    assertEquals(btf.size("xsk_tx_metadata"), Xdp.TX_METADATA_BYTES);
    assertEquals(btf.offset("xsk_tx_metadata", "request.csum_start"), Xdp.TX_METADATA_CSUM_START);
    assertEquals(btf.offset("xsk_tx_metadata", "request.csum_offset"), Xdp.TX_METADATA_CSUM_OFFSET);
    assertEquals(btf.offset("xsk_tx_metadata", "request.launch_time"), Xdp.TX_METADATA_LAUNCH_TIME);
    assertEquals(btf.size("xdp_md"), Xdp.MD_BYTES);
    assertEquals(btf.offset("xdp_md", "data"), Xdp.MD_DATA);
    assertEquals(btf.offset("xdp_md", "data_end"), Xdp.MD_DATA_END);
    assertEquals(btf.offset("xdp_md", "data_meta"), Xdp.MD_DATA_META);
    assertEquals(btf.offset("xdp_md", "ingress_ifindex"), Xdp.MD_INGRESS_IFINDEX);
    assertEquals(btf.offset("xdp_md", "rx_queue_index"), Xdp.MD_RX_QUEUE_INDEX);
    assertEquals(btf.offset("xdp_md", "egress_ifindex"), Xdp.MD_EGRESS_IFINDEX);
    assertEquals(btf.enumerator("XDP_ABORTED"), Xdp.XDP_ABORTED);
    assertEquals(btf.enumerator("XDP_DROP"), Xdp.XDP_DROP);
    assertEquals(btf.enumerator("XDP_PASS"), Xdp.XDP_PASS);
    assertEquals(btf.enumerator("XDP_TX"), Xdp.XDP_TX);
    assertEquals(btf.enumerator("XDP_REDIRECT"), Xdp.XDP_REDIRECT);
  }
}
