package io.gatun.control.kernel;

/**
 * A table entry that came, changed or went. Immutable.
 *
 * @param removed went; {@code entry} is as it was last
 * @param replaces of a route: it takes the place of the first of the same key
 * @param appended of a route: it stands behind those of the same key, not before them
 */
public record KernelChange(
    KernelTables.Entry entry, boolean removed, boolean replaces, boolean appended) {

  public static KernelChange now(KernelTables.Entry entry) {
    return new KernelChange(entry, false, true, false);
  }

  public static KernelChange gone(KernelTables.Entry entry) {
    return new KernelChange(entry, true, false, false);
  }
}
