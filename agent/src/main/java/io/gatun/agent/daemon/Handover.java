package io.gatun.agent.daemon;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.ffm.unix.UnixStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * What two daemons say to each other over {@code $RUN/heir.sock} when one takes the other's place.
 *
 * <pre>
 *   living                                      successor
 *     Offer, and descriptors: the frames'
 *     memory, then each port's socket    ──▶    maps all of it, makes its tables, warms up
 *                                        ◀──    Claim: with which ports it goes on
 *     stops its workers, closes the others
 *     Handed, and for which socket the
 *     kernel holds each frame            ──▶    goes on where the other stopped
 * </pre>
 *
 * A message is its length in four bytes, then JSON; what is said last, while nobody forwards, is
 * numbers alone. The sockets stay open all the time, so what arrives in between waits in their
 * rings, and nothing is lost.
 */
final class Handover {
  /** Another number: the two do not understand each other's sockets, and the ports are closed. */
  static final int VERSION = 1;

  private static final int LONGEST = 16 << 20;
  private static final ObjectMapper JSON =
      new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

  /**
   * What there is to be had.
   *
   * @param frames of the shared memory
   * @param ports in the order of their descriptors
   */
  record Offer(int version, int frames, List<OfferedPort> ports) {}

  /**
   * An open socket.
   *
   * @param driver {@code xdp} or {@code packet}
   * @param ringSize entries of each ring, 0 where there are none
   * @param custody by which the frames are marked that the kernel holds for it
   */
  record OfferedPort(String name, int ifIndex, String driver, int ringSize, int custody) {}

  /** Which of the offered ports, by number from 0; none: all are to be closed. */
  record Claim(List<Integer> ports) {}

  /**
   * The end of the living one's work.
   *
   * @param stopped when the workers were told to stop, in nanoseconds of CLOCK_MONOTONIC
   * @param until of the lease, in the same
   * @param missing for each offered port what its fill ring lacks, −1 for one that is closed
   */
  record Handed(long stopped, long until, List<Integer> missing) {}

  private Handover() {}

  static void write(UnixStream stream, Object message) throws IOException {
    byte[] json = JSON.writeValueAsBytes(message);
    stream.write(ByteBuffer.allocate(4 + json.length).putInt(json.length).put(json).array());
  }

  static <T> T read(UnixStream stream, Class<T> type) throws IOException {
    int length = ByteBuffer.wrap(stream.read(4)).getInt();
    if (length < 0 || length > LONGEST) {
      throw new IOException(
          "a message of %d bytes, expected at most %d".formatted(length, LONGEST));
    }
    return JSON.readValue(stream.read(length), type);
  }

  /** {@code custodies} says for which socket the kernel holds each frame. */
  static void write(UnixStream stream, Handed handed, CharBuffer custodies) throws IOException {
    int ports = handed.missing.size();
    ByteBuffer bytes = ByteBuffer.allocate(16 + 4 * ports + 2 * custodies.remaining());
    bytes.putLong(handed.stopped).putLong(handed.until);
    for (int each : handed.missing) {
      bytes.putInt(each);
    }
    bytes.asCharBuffer().put(custodies);
    stream.write(bytes.array());
  }

  /** What the other one says last about {@code ports} ports; then {@link #readCustodies} follow. */
  static Handed readHanded(UnixStream stream, int ports) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(stream.read(16 + 4 * ports));
    long stopped = bytes.getLong();
    long until = bytes.getLong();
    List<Integer> missing = new ArrayList<>();
    for (int i = 0; i < ports; i++) {
      missing.add(bytes.getInt());
    }
    return new Handed(stopped, until, missing);
  }

  static CharBuffer readCustodies(UnixStream stream, int frames) throws IOException {
    return ByteBuffer.wrap(stream.read(2 * frames)).asCharBuffer();
  }
}
