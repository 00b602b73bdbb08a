package io.gatun.control.kubernetes;

import io.gatun.control.model.ObjectName;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which state of each object was seen last, so that one that comes late changes nothing: an event
 * twice, an older state after a newer one, a state of an object after its removal. For one thread.
 *
 * <p>Only states of the same object (uid) are compared, and only when both versions are numbers
 * (KEP-5504); a removal is always believed.
 */
final class Versions {
  /** Removed objects that late events are known by. */
  private static final int REMEMBERED = 4096;

  private record State(String uid, long version) {}

  private final Map<ObjectName, State> seen = new HashMap<>();
  private final Map<String, Long> removed =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
          return size() > REMEMBERED;
        }
      };

  /** Whether this state is to be taken, which it then is. */
  boolean take(ObjectName name, String uid, String version) {
    long number = number(version);
    State before = seen.get(name);
    Long end = removed.get(uid);
    if ((before != null && before.uid.equals(uid) && isOlder(number, before.version))
        || (end != null && !uid.isEmpty() && (number < 0 || number <= end))) {
      return false;
    }
    seen.put(name, new State(uid, number));
    return true;
  }

  /** The object is no more; false when it is another one that has its name now. */
  boolean remove(ObjectName name, String uid, String version) {
    State before = seen.get(name);
    long number = number(version);
    if (!uid.isEmpty()) {
      removed.merge(uid, Math.max(number, before == null ? -1 : before.version), Math::max);
    }
    if (before != null && !before.uid.equals(uid) && isOlder(number, before.version)) {
      return false;
    }
    seen.remove(name);
    return true;
  }

  /** A list says all there is: nothing before it counts. */
  void clear() {
    seen.clear();
    removed.clear();
  }

  private static boolean isOlder(long version, long than) {
    return version >= 0 && than >= 0 && version < than;
  }

  private static long number(@Nullable String version) {
    return version != null && version.matches("[0-9]{1,18}") ? Long.parseLong(version) : -1;
  }
}
