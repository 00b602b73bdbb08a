package io.gatun.perf;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import io.gatun.control.document.JsonFields;
import io.gatun.control.manifest.ManifestException;
import io.gatun.control.manifest.ManifestReader;
import io.gatun.control.model.KubernetesObject;
import io.gatun.control.model.ObjectChanges;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.ObjectStore;
import io.gatun.control.service.FrontChange;
import io.gatun.control.service.FrontTable;
import io.gatun.control.service.NodeView;
import io.gatun.service.ServiceTable;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A cluster of many Services, as the bytes that an API server would send, and the control plane
 * that makes tables of them: reader, store, fronts, service table. One thread.
 */
final class LargeCluster {
  private static final JsonFactory JSON = new JsonFactory();
  private static final NodeView NODE =
      NodeView.of("node-1", List.of(InetAddress.ofLiteral("192.168.0.2")));
  private static final int BATCH = 1024; // as the control thread

  private final int services;
  private final int endpoints;
  private final ServiceTable table;
  private final ObjectStore store = new ObjectStore();
  private final FrontTable fronts = new FrontTable();

  LargeCluster(int services, int endpoints, ServiceTable table) {
    this.services = services;
    this.endpoints = endpoints;
    this.table = table;
  }

  /** Everything, an object an entry. */
  List<byte[]> objects() {
    List<byte[]> objects = new ArrayList<>(2 * services);
    for (int i = 0; i < services; i++) {
      objects.add(service(i));
      objects.add(slice(i, 0));
    }
    return objects;
  }

  private static byte[] service(int i) {
    return """
    {"apiVersion":"v1","kind":"Service","metadata":{"name":"service-%1$d","namespace":"default","uid":"%1$d","resourceVersion":"1"},\
    "spec":{"type":"ClusterIP","clusterIP":"%2$s","clusterIPs":["%2$s"],"ports":[{"name":"http","port":80,"protocol":"TCP"}]}}\
    """
        .formatted(i, address(0x0A610000 + i))
        .getBytes(StandardCharsets.UTF_8);
  }

  /** The endpoints of Service {@code i}; another {@code round} replaces the first of them. */
  private byte[] slice(int i, int round) {
    StringBuilder list = new StringBuilder();
    for (int e = 0; e < endpoints; e++) {
      int number = e == 0 ? 0x0B000000 + round * 100_003 + i : 0x0A800000 + i * endpoints + e;
      list.append(e == 0 ? "" : ",")
          .append("{\"addresses\":[\"")
          .append(address(number))
          .append("\"],\"nodeName\":\"node-7\",\"conditions\":{\"ready\":true}}");
    }
    return """
    {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"service-%1$d-1","namespace":"default",\
    "labels":{"kubernetes.io/service-name":"service-%1$d"},"uid":"s%1$d","resourceVersion":"2"},\
    "addressType":"IPv4","ports":[{"name":"http","port":8080,"protocol":"TCP"}],"endpoints":[%2$s]}\
    """
        .formatted(i, list)
        .getBytes(StandardCharsets.UTF_8);
  }

  private static String address(int a) {
    return (a >>> 24) + "." + (a >> 16 & 255) + "." + (a >> 8 & 255) + "." + (a & 255);
  }

  /** A change of one Service: one of its endpoints is another one. */
  byte[] change(RandomGenerator random, int round) {
    return slice(random.nextInt(services), round);
  }

  /** From bytes to the published tables; returns what changed last. */
  FrontChange apply(List<byte[]> objects) throws IOException {
    for (byte[] object : objects) {
      store.put(read(object));
    }
    ObjectChanges changes = store.takeChanges();
    List<ObjectName> names = new ArrayList<>(changes.services());
    FrontChange change = new FrontChange(List.of(), List.of());
    for (int from = 0; from < names.size(); from += BATCH) {
      List<ObjectName> some = names.subList(from, Math.min(names.size(), from + BATCH));
      change = fronts.update(store, some, List.of(), NODE);
      table.apply(change.changedOrNew(), change.removed());
    }
    return change;
  }

  private static KubernetesObject read(byte[] object) throws IOException {
    try (JsonParser parser = JSON.createParser(object)) {
      parser.nextToken();
      return ManifestReader.readObject("bench", JsonFields.read(parser), "", "");
    } catch (ManifestException e) {
      throw new IOException(e);
    }
  }

  FrontTable fronts() {
    return fronts;
  }
}
