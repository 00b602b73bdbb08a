package io.gatun.control.kernel;

import io.gatun.control.kernel.KernelTables.Rule;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line in the log for each policy rule that the data path does not obey, however often it comes
 * and goes; for one thread.
 */
final class RuleWarnings {
  private static final Logger LOG = LoggerFactory.getLogger(RuleWarnings.class);

  /**
   * Some CNI plugins make two rules a pod, and a rule may say anything: there is no end to them.
   */
  static final int MOST = 1000;

  private final Set<Rule> warned = new HashSet<>();
  private boolean silent;

  void see(Rule rule) {
    if (rule.obeyed() || silent || !warned.add(rule)) {
      return;
    }
    LOG.warn(
        "ip {}rule {}: {} is not obeyed: the data path looks into the main table only",
        rule.ipv6() ? "-6 " : "",
        rule.priority(),
        rule.text());
    if (warned.size() == MOST) {
      silent = true;
      LOG.warn("{} policy rules are not obeyed; no more of them are named", MOST);
    }
  }
}
