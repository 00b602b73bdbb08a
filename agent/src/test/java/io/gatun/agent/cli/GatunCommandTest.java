package io.gatun.agent.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class GatunCommandTest {
  @Test
  void shouldReadACommandAloneAsItReadsItAmongAll() {
    CommandLine all = GatunCommand.line();
    assertTrue(all.getSubcommands().size() > 10);
    all.getSubcommands()
        .forEach((name, command) -> {
          Map<String, CommandLine> alone = GatunCommand.line(name, "--help").getSubcommands();
          assertEquals(Set.of(name), alone.keySet());
          assertEquals(name, command.getCommandName(), "the annotation says the same");
          CommandLine itself = Objects.requireNonNull(alone.get(name));
          assertEquals(command.getUsageMessage(), itself.getUsageMessage(), name);
        });
  }

  @Test
  void shouldKnowAllWhereTheFirstWordIsNone() {
    Set<String> all = GatunCommand.line().getSubcommands().keySet();
    assertEquals(all, GatunCommand.line("--verbose", "run").getSubcommands().keySet());
    assertEquals(all, GatunCommand.line("rum").getSubcommands().keySet());
  }
}
