package io.gatun.agent.check;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The machine and this process' rights on it. */
public final class MachineChecks {
  /** For XDP_UMEM_TX_METADATA_LEN; the user's manual says so too. */
  private static final int KERNEL_MAJOR = 6;

  private static final int KERNEL_MINOR = 11;
  private static final int JDK = 25;

  // linux/capability.h
  private static final int CAP_SYS_ADMIN = 21;
  private static final Map<String, Integer> NEEDED = new LinkedHashMap<>();

  static {
    NEEDED.put("NET_ADMIN", 12);
    NEEDED.put("NET_RAW", 13);
    NEEDED.put("IPC_LOCK", 14);
    NEEDED.put("BPF", 39);
  }

  private MachineChecks() {}

  /** All of them; {@code bpf} is where the pins go. */
  public static List<Finding> all(Path bpf) {
    long capabilities = capabilities();
    List<Finding> findings = new ArrayList<>();
    findings.add(kernel(read("/proc/sys/kernel/osrelease").strip()));
    int feature = Runtime.version().feature();
    findings.add(
        feature >= JDK
            ? Finding.ok("jdk", Runtime.version().toString())
            : Finding.failure("jdk", "JDK " + feature, "install a JDK 25 or newer"));
    findings.add(capabilities(capabilities));
    findings.add(pins(capabilities, bpf));
    findings.add(lockedMemory(capabilities));
    findings.add(hugepages());
    findings.add(program("ip", "iproute2", true));
    findings.add(program("nft", "nftables", false));
    findings.add(
        read("/proc/sys/net/ipv4/ip_forward").strip().equals("1")
            ? Finding.ok("forwarding", "the kernel may forward when Gatun is dead")
            : Finding.warning(
                "forwarding",
                "the kernel may not forward, also when Gatun is dead",
                "sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"));
    return findings;
  }

  static Finding kernel(String release) {
    Matcher version = Pattern.compile("(\\d+)\\.(\\d+).*").matcher(release);
    boolean fits = false;
    if (version.matches()) {
      int major = Integer.parseInt(version.group(1));
      int minor = Integer.parseInt(version.group(2));
      fits = major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR);
    }
    return fits
        ? Finding.ok("kernel", release)
        : Finding.failure("kernel", release, "install Linux 6.11 or newer");
  }

  private static long capabilities() {
    Matcher effective =
        Pattern.compile("(?m)^CapEff:\\s*([0-9a-f]+)$").matcher(read("/proc/self/status"));
    return effective.find() ? Long.parseUnsignedLong(effective.group(1), 16) : 0;
  }

  static Finding capabilities(long effective) {
    List<String> missing = new ArrayList<>();
    NEEDED.forEach((name, bit) -> {
      boolean instead = name.equals("BPF") && has(effective, CAP_SYS_ADMIN);
      if (!has(effective, bit) && !instead) {
        missing.add("CAP_" + name);
      }
    });
    return missing.isEmpty()
        ? Finding.ok("capabilities", "NET_ADMIN, NET_RAW, IPC_LOCK, BPF")
        : Finding.failure(
            "capabilities", "without " + String.join(", ", missing), "run as root, or grant them");
  }

  private static boolean has(long capabilities, int bit) {
    return (capabilities >>> bit & 1) != 0;
  }

  private static Finding pins(long capabilities, Path bpf) {
    boolean mounted = read("/proc/self/mountinfo").contains(" " + bpf + " ");
    return mounted || has(capabilities, CAP_SYS_ADMIN)
        ? Finding.ok("bpffs", mounted ? "mounted at " + bpf : "can be mounted at " + bpf)
        : Finding.failure(
            "bpffs",
            "nothing mounted at " + bpf + ", and no CAP_SYS_ADMIN to do it",
            "mkdir -p %s && mount -t bpf bpf %s".formatted(bpf, bpf));
  }

  private static Finding lockedMemory(long capabilities) {
    if (has(capabilities, NEEDED.getOrDefault("IPC_LOCK", 0))) {
      return Finding.ok("locked memory", "unlimited by CAP_IPC_LOCK");
    }
    Matcher limit =
        Pattern.compile("(?m)^Max locked memory\\s+(\\S+)").matcher(read("/proc/self/limits"));
    return limit.find() && limit.group(1).equals("unlimited")
        ? Finding.ok("locked memory", "unlimited")
        : Finding.failure("locked memory", "limited", "ulimit -l unlimited, or CAP_IPC_LOCK");
  }

  private static Finding hugepages() {
    Matcher total =
        Pattern.compile("(?m)^HugePages_Total:\\s+(\\d+)").matcher(read("/proc/meminfo"));
    int pages = total.find() ? Integer.parseInt(total.group(1)) : 0;
    return pages > 0
        ? Finding.ok("hugepages", pages + " reserved")
        : Finding.warning(
            "hugepages", "none reserved: tables use small pages", "sysctl -w vm.nr_hugepages=256");
  }

  private static Finding program(String name, String packageName, boolean needed) {
    boolean there = Program.output(name, "-V") != null;
    String remedy = "apt-get install " + packageName;
    if (there) {
      return Finding.ok(name, "installed");
    }
    return needed
        ? Finding.failure(name, "not installed", remedy)
        : Finding.warning(name, "not installed", remedy);
  }

  private static String read(String path) {
    try {
      return Files.readString(Path.of(path));
    } catch (IOException e) {
      return "";
    }
  }
}
