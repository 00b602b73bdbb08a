package io.gatun.agent.daemon;

import io.gatun.control.ObjectFollower;
import io.gatun.control.model.ClusterObjects;
import io.gatun.control.service.NodeSettings;
import io.gatun.control.service.NodeView;
import java.net.InetAddress;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The node's primary addresses, one a family at most, as configuration, Node object and kernel say
 * them now: a Node that comes later, or gets another address, changes them. Followed on the control
 * thread, read by any.
 */
final class PrimaryAddresses implements ObjectFollower {
  private final NodeSettings settings;
  private final Supplier<List<InetAddress>> local;
  private final Consumer<List<InetAddress>> listener;
  private volatile List<InetAddress> current = List.of();

  /**
   * None before the first objects.
   *
   * @param local every address that the kernel says the node has
   * @param listener told whenever they are others
   */
  PrimaryAddresses(
      NodeSettings settings,
      Supplier<List<InetAddress>> local,
      Consumer<List<InetAddress>> listener) {
    this.settings = settings;
    this.local = local;
    this.listener = listener;
  }

  @Override
  public void surroundings(ClusterObjects objects, NodeView node) {
    List<InetAddress> now = List.copyOf(settings.primary(objects, local.get()));
    if (!now.equals(current)) {
      current = now;
      listener.accept(now);
    }
  }

  List<InetAddress> current() {
    return current;
  }
}
