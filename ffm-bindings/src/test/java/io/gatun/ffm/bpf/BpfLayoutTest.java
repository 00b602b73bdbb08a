package io.gatun.ffm.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.ffm.btf.Btf;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Our offsets in union bpf_attr and our numbers against the running kernel's. */
class BpfLayoutTest {
  @Test
  void shouldPutArgumentsWhereTheKernelReadsThem() throws IOException {
    Btf btf = Btf.ofKernel();
    assertEquals(btf.offset("bpf_attr", "map_type"), Bpf.MAP_TYPE);
    assertEquals(btf.offset("bpf_attr", "key_size"), Bpf.MAP_KEY_SIZE);
    assertEquals(btf.offset("bpf_attr", "value_size"), Bpf.MAP_VALUE_SIZE);
    assertEquals(btf.offset("bpf_attr", "max_entries"), Bpf.MAP_MAX_ENTRIES);
    assertEquals(btf.offset("bpf_attr", "map_flags"), Bpf.MAP_FLAGS);
    assertEquals(btf.offset("bpf_attr", "map_name"), Bpf.MAP_NAME);
    assertEquals(btf.offset("bpf_attr", "map_fd"), Bpf.ELEM_MAP_FD);
    assertEquals(btf.offset("bpf_attr", "key"), Bpf.ELEM_KEY);
    assertEquals(btf.offset("bpf_attr", "value"), Bpf.ELEM_VALUE);
    assertEquals(btf.offset("bpf_attr", "next_key"), Bpf.ELEM_VALUE);
    assertEquals(btf.offset("bpf_attr", "flags"), Bpf.ELEM_FLAGS);
    assertEquals(btf.offset("bpf_attr", "prog_type"), Bpf.PROG_TYPE);
    assertEquals(btf.offset("bpf_attr", "insn_cnt"), Bpf.PROG_INSN_CNT);
    assertEquals(btf.offset("bpf_attr", "insns"), Bpf.PROG_INSNS);
    assertEquals(btf.offset("bpf_attr", "license"), Bpf.PROG_LICENSE);
    assertEquals(btf.offset("bpf_attr", "log_level"), Bpf.PROG_LOG_LEVEL);
    assertEquals(btf.offset("bpf_attr", "log_size"), Bpf.PROG_LOG_SIZE);
    assertEquals(btf.offset("bpf_attr", "log_buf"), Bpf.PROG_LOG_BUF);
    assertEquals(btf.offset("bpf_attr", "prog_flags"), Bpf.PROG_FLAGS);
    assertEquals(btf.offset("bpf_attr", "prog_name"), Bpf.PROG_NAME);
    assertEquals(btf.offset("bpf_attr", "expected_attach_type"), Bpf.PROG_EXPECTED_ATTACH_TYPE);
    assertEquals(btf.offset("bpf_attr", "pathname"), Bpf.OBJ_PATHNAME);
    assertEquals(btf.offset("bpf_attr", "bpf_fd"), Bpf.OBJ_FD);
    assertEquals(btf.offset("bpf_attr", "test.prog_fd"), Bpf.TEST_PROG_FD);
    assertEquals(btf.offset("bpf_attr", "test.retval"), Bpf.TEST_RETVAL);
    assertEquals(btf.offset("bpf_attr", "test.data_size_in"), Bpf.TEST_DATA_SIZE_IN);
    assertEquals(btf.offset("bpf_attr", "test.data_size_out"), Bpf.TEST_DATA_SIZE_OUT);
    assertEquals(btf.offset("bpf_attr", "test.data_in"), Bpf.TEST_DATA_IN);
    assertEquals(btf.offset("bpf_attr", "test.data_out"), Bpf.TEST_DATA_OUT);
    assertEquals(btf.offset("bpf_attr", "test.repeat"), Bpf.TEST_REPEAT);
    assertEquals(btf.offset("bpf_attr", "test.duration"), Bpf.TEST_DURATION);
    assertEquals(btf.offset("bpf_attr", "test.ctx_size_in"), Bpf.TEST_CTX_SIZE_IN);
    assertEquals(btf.offset("bpf_attr", "test.ctx_in"), Bpf.TEST_CTX_IN);
    assertEquals(btf.offset("bpf_attr", "test.flags"), Bpf.TEST_FLAGS);
    assertEquals(btf.offset("bpf_attr", "test.batch_size"), Bpf.TEST_BATCH_SIZE);
    assertEquals(btf.offset("bpf_attr", "info.bpf_fd"), Bpf.INFO_BPF_FD);
    assertEquals(btf.offset("bpf_attr", "info.info_len"), Bpf.INFO_LEN);
    assertEquals(btf.offset("bpf_attr", "info.info"), Bpf.INFO_INFO);
    assertEquals(btf.offset("bpf_attr", "link_create.prog_fd"), Bpf.LINK_PROG_FD);
    assertEquals(btf.offset("bpf_attr", "link_create.target_ifindex"), Bpf.LINK_TARGET_IFINDEX);
    assertEquals(btf.offset("bpf_attr", "link_create.attach_type"), Bpf.LINK_ATTACH_TYPE);
    assertEquals(btf.offset("bpf_attr", "link_create.flags"), Bpf.LINK_FLAGS);
    assertEquals(btf.offset("bpf_attr", "link_update.link_fd"), Bpf.LINK_UPDATE_LINK_FD);
    assertEquals(btf.offset("bpf_attr", "link_update.new_prog_fd"), Bpf.LINK_UPDATE_NEW_PROG_FD);
    assertEquals(btf.offset("bpf_attr", "link_detach.link_fd"), Bpf.LINK_UPDATE_LINK_FD);
  }

  @Test
  void shouldUseTheKernelsNumbers() throws IOException {
    Btf btf = Btf.ofKernel();
    assertEquals(btf.enumerator("BPF_MAP_TYPE_HASH"), Bpf.MAP_TYPE_HASH);
    assertEquals(btf.enumerator("BPF_MAP_TYPE_ARRAY"), Bpf.MAP_TYPE_ARRAY);
    assertEquals(btf.enumerator("BPF_MAP_TYPE_PERCPU_ARRAY"), Bpf.MAP_TYPE_PERCPU_ARRAY);
    assertEquals(btf.enumerator("BPF_MAP_TYPE_LPM_TRIE"), Bpf.MAP_TYPE_LPM_TRIE);
    assertEquals(btf.enumerator("BPF_MAP_TYPE_XSKMAP"), Bpf.MAP_TYPE_XSKMAP);
    assertEquals(btf.enumerator("BPF_F_MMAPABLE"), Bpf.BPF_F_MMAPABLE);
    assertEquals(btf.enumerator("BPF_F_NO_PREALLOC"), Bpf.BPF_F_NO_PREALLOC);
    assertEquals(btf.enumerator("BPF_PROG_TYPE_XDP"), Bpf.PROG_TYPE_XDP);
    assertEquals(btf.enumerator("BPF_XDP"), Bpf.ATTACH_TYPE_XDP);
    assertEquals(btf.enumerator("BPF_FUNC_map_lookup_elem"), Bpf.FUNC_MAP_LOOKUP_ELEM);
    assertEquals(btf.enumerator("BPF_FUNC_map_update_elem"), Bpf.FUNC_MAP_UPDATE_ELEM);
    assertEquals(btf.enumerator("BPF_FUNC_ktime_get_ns"), Bpf.FUNC_KTIME_GET_NS);
    assertEquals(btf.enumerator("BPF_FUNC_redirect_map"), Bpf.FUNC_REDIRECT_MAP);
    assertEquals(btf.enumerator("BPF_MAP_CREATE"), Bpf.MAP_CREATE);
    assertEquals(btf.enumerator("BPF_MAP_GET_NEXT_KEY"), Bpf.MAP_GET_NEXT_KEY);
    assertEquals(btf.enumerator("BPF_PROG_LOAD"), Bpf.PROG_LOAD);
    assertEquals(btf.enumerator("BPF_OBJ_PIN"), Bpf.OBJ_PIN);
    assertEquals(btf.enumerator("BPF_OBJ_GET"), Bpf.OBJ_GET);
    assertEquals(btf.enumerator("BPF_PROG_TEST_RUN"), Bpf.PROG_TEST_RUN);
    assertEquals(btf.enumerator("BPF_OBJ_GET_INFO_BY_FD"), Bpf.OBJ_GET_INFO_BY_FD);
    assertEquals(btf.enumerator("BPF_LINK_CREATE"), Bpf.LINK_CREATE);
    assertEquals(btf.enumerator("BPF_LINK_UPDATE"), Bpf.LINK_UPDATE);
    assertEquals(btf.enumerator("BPF_LINK_DETACH"), Bpf.LINK_DETACH);
  }
}
