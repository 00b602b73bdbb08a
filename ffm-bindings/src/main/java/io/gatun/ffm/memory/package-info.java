/**
 * Native memory by absolute address.
 *
 * <p>An area is mapped once and lives until it is closed; everything inside it is reached by a
 * {@code long}. Between any two areas stands at least one page that nobody may touch:
 *
 * <pre>
 *   | guard 4 KiB | area, zeroed, populated, on huge pages if any | guard 4 KiB (or more) |
 * </pre>
 *
 * so that a wrong address ends the process instead of corrupting a neighbour. Tests go further:
 * with {@code -Dgatun.memory.checks=true} each access is looked up in {@link
 * io.gatun.ffm.memory.LiveAreas}.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.ffm.memory;
