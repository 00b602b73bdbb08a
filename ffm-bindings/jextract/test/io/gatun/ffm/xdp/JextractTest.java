package io.gatun.ffm.xdp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemoryLayout;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Ours against what jextract read in the headers; by reflection, for the generated names vary. */
class JextractTest {
  private static final String GENERATED = "io.gatun.ffm.generated.";

  @Test
  void shouldAgreeOnEveryConstantInTheList() throws Exception {
    int compared = 0;
    for (String line : Files.readAllLines(Path.of("jextract/includes.txt"))) {
      String name = line.substring(line.indexOf(' ') + 1);
      if (line.startsWith("--include-constant")) {
        assertEquals(generated(name), ours(name), name);
        compared++;
      }
    }
    assertTrue(compared > 20, compared + " constants compared");
  }

  @Test
  void shouldAgreeOnTheSizesOfStructs() throws Exception {
    assertEquals(size("xdp_umem_reg"), Xdp.UMEM_REG_BYTES);
    assertEquals(size("xdp_desc"), Xdp.DESC_BYTES);
    assertEquals(size("xdp_mmap_offsets"), Xdp.MMAP_OFFSETS_BYTES);
    assertEquals(size("xdp_ring_offset"), Xdp.RING_OFFSET_BYTES);
    assertEquals(size("sockaddr_xdp"), Xdp.SOCKADDR_BYTES);
    assertEquals(size("xdp_statistics"), Xdp.STATISTICS_BYTES);
    assertEquals(size("xdp_md"), Xdp.MD_BYTES);
  }

  private static long ours(String name) throws Exception {
    Field field = Xdp.class.getDeclaredField(name);
    assertTrue(Modifier.isStatic(field.getModifiers()));
    return ((Number) field.get(null)).longValue();
  }

  private static long generated(String name) throws Exception {
    Method method = Class.forName(GENERATED + "gatun_h").getMethod(name);
    return ((Number) method.invoke(null)).longValue();
  }

  private static long size(String struct) throws Exception {
    Method layout = Class.forName(GENERATED + struct).getMethod("layout");
    return ((MemoryLayout) layout.invoke(null)).byteSize();
  }
}
