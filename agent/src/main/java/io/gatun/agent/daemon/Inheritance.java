package io.gatun.agent.daemon;

import io.gatun.agent.RunDirectory;
import io.gatun.agent.daemon.Handover.Claim;
import io.gatun.agent.daemon.Handover.Handed;
import io.gatun.agent.daemon.Handover.Offer;
import io.gatun.agent.daemon.Handover.OfferedPort;
import io.gatun.ffm.Libc;
import io.gatun.ffm.unix.UnixStream;
import java.io.IOException;
import java.nio.CharBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a living daemon offers to its successor, and what the successor made of it; the other side
 * is {@link HandoverServer}. For one thread.
 */
final class Inheritance implements AutoCloseable {
  /** Nothing of that name, or nothing of use. */
  static final int NONE = -1;

  private final UnixStream stream;
  private final Offer offer;
  private final int[] descriptors;
  private final Set<Integer> claimed = new TreeSet<>();
  private boolean declined;
  private @Nullable Handed handed;

  private Inheritance(UnixStream stream, Offer offer, int[] descriptors) {
    this.stream = stream;
    this.offer = offer;
    this.descriptors = descriptors;
  }

  /**
   * Asks the daemon of {@code run} what it has.
   *
   * @param patience how long each of its answers may take
   */
  static Inheritance ask(RunDirectory run, Duration patience) throws IOException {
    UnixStream stream = UnixStream.connect(run.heir());
    try {
      stream.patience(patience);
      Offer offer = Handover.read(stream, Offer.class);
      int[] descriptors = stream.readDescriptors(offer.ports().size() + 1);
      Inheritance inheritance = new Inheritance(stream, offer, descriptors);
      inheritance.declined = offer.version() != Handover.VERSION;
      return inheritance;
    } catch (IOException e) {
      stream.close();
      throw e;
    }
  }

  /** How many frames its memory has; 0 when it is of no use. */
  int frames() {
    return declined ? 0 : offer.frames();
  }

  /** The memory's descriptor, the caller's from now on. */
  int frameMemory() {
    int descriptor = descriptors[0];
    descriptors[0] = NONE;
    return descriptor;
  }

  /** We have memory of our own, so no XDP port can go on. */
  void decline() {
    declined = true;
  }

  /**
   * The number of the open socket on an interface, {@link #NONE} when there is none such; it goes
   * on with us then.
   */
  int claim(String name, int ifIndex, String driver) {
    List<OfferedPort> ports = offer.ports();
    for (int i = 0; i < ports.size() && !declined; i++) {
      OfferedPort port = ports.get(i);
      boolean usable = !port.driver().equals("xdp") || Integer.bitCount(port.ringSize()) == 1;
      if (usable
          && port.ifIndex() == ifIndex
          && port.name().equals(name)
          && port.driver().equals(driver)) {
        claimed.add(i);
        return i;
      }
    }
    return NONE;
  }

  /** The descriptor of socket {@code number}, the caller's from now on. */
  int descriptor(int number) {
    int descriptor = descriptors[number + 1];
    descriptors[number + 1] = NONE;
    return descriptor;
  }

  /** Entries of each ring of socket {@code number}. */
  int ringSize(int number) {
    return offer.ports().get(number).ringSize();
  }

  char custody(int number) {
    return (char) offer.ports().get(number).custody();
  }

  /**
   * Has the other daemon stop. Returns for which socket the kernel holds each frame when what was
   * claimed is ours and all else closed.
   */
  CharBuffer take() throws IOException {
    closeDescriptors(); // what nobody claimed must close when the other one closes it
    Handover.write(stream, new Claim(new ArrayList<>(claimed)));
    Handed answer = Handover.readHanded(stream, offer.ports().size());
    CharBuffer custodies = Handover.readCustodies(stream, offer.frames());
    handed = answer;
    return custodies;
  }

  /** Whether socket {@code number} is ours and open. */
  boolean has(int number) {
    return missing(number) >= 0;
  }

  /** What the fill ring of socket {@code number} lacks; negative when it is not ours. */
  int missing(int number) {
    Handed answer = handed;
    return answer == null ? NONE : answer.missing().get(number);
  }

  /** Of the lease, in nanoseconds of CLOCK_MONOTONIC; 0 when nothing was handed over. */
  long until() {
    Handed answer = handed;
    return answer == null ? 0 : answer.until();
  }

  /** When the other one's workers were told to stop, in nanoseconds of CLOCK_MONOTONIC; or 0. */
  long stopped() {
    Handed answer = handed;
    return answer == null ? 0 : answer.stopped();
  }

  private void closeDescriptors() {
    for (int i = 0; i < descriptors.length; i++) {
      if (descriptors[i] >= 0) {
        Libc.close(descriptors[i]);
        descriptors[i] = NONE;
      }
    }
  }

  @Override
  public void close() {
    closeDescriptors();
    stream.close();
  }
}
