package io.gatun.control.kubernetes;

import io.gatun.control.model.KubernetesObject;
import io.gatun.control.model.ObjectName;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a reflector learnt, on its way to the control thread. Immutable. */
sealed interface Update {
  /**
   * Of this kind there are these objects and no others.
   *
   * @param kept names of objects with a mistake: what was known of them stays
   */
  record Listed(String kind, List<KubernetesObject> objects, Set<ObjectName> kept)
      implements Update {}

  /**
   * An object is new or different.
   *
   * @param cause when what it tells happened, null when it does not say
   */
  record Changed(KubernetesObject object, @Nullable Instant cause) implements Update {}

  /** An object is no more. */
  record Removed(String kind, ObjectName name) implements Update {}
}
