package io.gatun.agent.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelSettingsTest {
  @TempDir private Path run;

  @Test
  void shouldReadBackWhatASettingSays() {
    Setting rule = Setting.rule(true, "pref 101 iif lo lookup 10300");
    assertEquals(rule, Setting.of(rule.line()));
    assertEquals("rule del pref 101 iif lo lookup 10300 protocol 103", rule.undo());
    assertThrows(IllegalArgumentException.class, () -> Setting.of("4\trule add"));
    assertThrows(IllegalArgumentException.class, () -> new Setting(false, "a\nb", "c"));
  }

  @Test
  void shouldRefuseToTouchAnotherNamespace() throws Exception {
    Path file = run.resolve("settings");
    Files.write(file, List.of("net:[1]", "4\tlink add x type veth\tlink del x"));
    var refusal = assertThrows(IllegalStateException.class, () -> KernelSettings.open(file));
    assertTrue(String.valueOf(refusal.getMessage()).contains("nsenter"), refusal.getMessage());
  }
}
