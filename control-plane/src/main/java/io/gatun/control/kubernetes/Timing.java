package io.gatun.control.kubernetes;

/**
 * How patient a reflector is; tests are less so. Immutable.
 *
 * @param firstMillis the first pause after a failure
 * @param mostMillis the longest: as client-go's reflectors
 * @param watchSeconds the server is asked to end a watch after this to twice as long
 * @param silenceMillis nothing at all for so long, not even a bookmark (of which servers send one a
 *     minute): the connection may be dead, and to watch anew from the same version costs little
 * @param absentMillis when to look again for a kind that is not there
 */
record Timing(
    long firstMillis, long mostMillis, int watchSeconds, long silenceMillis, long absentMillis) {
  static final Timing USUAL = new Timing(200, 30_000, 300, 120_000, 300_000);
}
