package io.gatun.control.overlay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.model.Node;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Other nodes as flanneld publishes them: annotations {@code
 * flannel.alpha.coreos.com/backend-type}, {@code backend-data} ({@code {"VNI":1,"VtepMAC":"…"}})
 * and {@code public-ip}, with {@code -v6} for an overlay over IPv6, and {@code spec.podCIDRs}. For
 * one thread: what is wrong is said once.
 */
public final class FlannelNodes {
  private static final Logger LOG = LoggerFactory.getLogger(FlannelNodes.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String BACKEND_TYPE = "backend-type";
  private static final String VXLAN = "vxlan";

  private final Set<String> said = new HashSet<>();

  /**
   * The nodes of network {@code vni} over one family, but for {@code own}.
   *
   * @param ipv6 the underlay's family, and the pods'
   */
  public List<RemoteNode> remotes(Collection<Node> nodes, String own, int vni, boolean ipv6) {
    List<RemoteNode> remotes = new ArrayList<>();
    for (Node node : nodes) {
      if (!node.name().name().equals(own)) {
        RemoteNode remote = remote(node, vni, ipv6);
        if (remote != null) {
          remotes.add(remote);
        }
      }
    }
    return remotes;
  }

  /**
   * What flanneld would publish of {@code node}, whose ends of the overlay are {@code devices}, by
   * the part after the slash (AcquireLease in flannel's pkg/subnet/kube/kube.go).
   */
  public static Map<String, String> annotations(Node node, Collection<OverlayDevice> devices) {
    Map<String, String> annotations = new TreeMap<>();
    annotations.put(BACKEND_TYPE, VXLAN);
    annotations.put("kube-subnet-manager", "true");
    for (OverlayDevice device : devices) {
      boolean six = Addresses.isIpv6(device.local());
      annotations.put(
          six ? "backend-v6-data" : "backend-data",
          "{\"VNI\":%d,\"VtepMAC\":\"%s\"}".formatted(device.vni(), device.mac()));
      String address = six ? "public-ipv6" : "public-ip";
      String overwrite = node.flannel().getOrDefault(address + "-overwrite", "");
      annotations.put(address, overwrite.isEmpty() ? Addresses.text(device.local()) : overwrite);
    }
    return annotations;
  }

  /**
   * Whether {@code node} lacks any of {@code annotations}, and may be given them: one whose flannel
   * has another way between nodes than VXLAN is left alone.
   */
  public static boolean lacks(Node node, Map<String, String> annotations) {
    return VXLAN.equals(node.flannel().getOrDefault(BACKEND_TYPE, VXLAN))
        && !node.flannel().entrySet().containsAll(annotations.entrySet());
  }

  private @Nullable RemoteNode remote(Node node, int vni, boolean ipv6) {
    Map<String, String> flannel = node.flannel();
    List<Prefix> pods =
        node.podCidrs().stream().filter(p -> Addresses.isIpv6(p.address()) == ipv6).toList();
    String data = flannel.get(ipv6 ? "backend-v6-data" : "backend-data");
    if (!VXLAN.equals(flannel.get(BACKEND_TYPE)) || data == null || pods.isEmpty()) {
      return null; // not of this overlay, or not yet
    }
    String publicIp = flannel.getOrDefault(ipv6 ? "public-ipv6" : "public-ip", "");
    InetAddress address = Addresses.parse(publicIp);
    if (address == null || Addresses.isIpv6(address) != ipv6) {
      return wrong(node, "public-ip" + (ipv6 ? "v6" : ""), publicIp, "an address");
    }
    try {
      JsonNode backend = JSON.readTree(data);
      if (backend.path("VNI").asInt(1) != vni) {
        return null; // another network
      }
      MacAddress mac = MacAddress.parse(backend.path("VtepMAC").asText(""));
      return mac == null
          ? wrong(node, "backend-data", data, "a VtepMAC")
          : new RemoteNode(pods, address, mac);
    } catch (JsonProcessingException e) {
      return wrong(node, "backend-data", data, "JSON");
    }
  }

  private @Nullable RemoteNode wrong(Node node, String what, String value, String expected) {
    if (said.add(node.name().name() + " " + what + " " + value)) {
      LOG.warn(
          "Node {}: annotation {} is \"{}\", expected {}; its pods have no tunnel",
          node.name().name(),
          what,
          value.length() > 100 ? value.substring(0, 100) + "…" : value,
          expected);
    }
    return null;
  }
}
