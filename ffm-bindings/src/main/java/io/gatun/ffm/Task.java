package io.gatun.ffm;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A thread of this process as the kernel has it (proc_pid_task(5)), the JVM's own ones too; it may
 * end at any moment.
 *
 * @param tid the kernel's id
 */
public record Task(int tid) {
  private static final Path TASKS = Path.of("/proc/self/task");

  /** What {@link #state} says of one that has ended. */
  private static final char ENDED = 'X';

  /** All of them now. */
  public static List<Task> all() throws IOException {
    List<Task> all = new ArrayList<>();
    try (DirectoryStream<Path> tasks = Files.newDirectoryStream(TASKS)) {
      tasks.forEach(task -> all.add(new Task(Integer.parseInt(task.getFileName().toString()))));
    }
    return all;
  }

  /** Cut to 15 letters: "C2 CompilerThre". Empty for one that has ended. */
  public String name() {
    return read("comm").strip();
  }

  /** proc_pid_stat(5): 'R' runs or would, 'S' sleeps, … */
  public char state() {
    String stat = read("stat"); // TID (NAME) STATE …
    int at = stat.lastIndexOf(')') + 2;
    return at < stat.length() ? stat.charAt(at) : ENDED;
  }

  private String read(String file) {
    try {
      return Files.readString(TASKS.resolve(Integer.toString(tid)).resolve(file));
    } catch (IOException e) {
      return "";
    }
  }
}
