package io.gatun.perf;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import io.gatun.control.document.Field;
import io.gatun.control.document.JsonFields;
import io.gatun.control.kubernetes.ListBody;
import io.gatun.control.manifest.ManifestException;
import io.gatun.control.manifest.ManifestReader;
import io.gatun.control.model.KubernetesObject;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.ObjectStore;
import io.gatun.control.service.FrontChange;
import io.gatun.control.service.FrontTable;
import io.gatun.control.service.NodeView;
import io.gatun.service.ServiceTable;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
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

  /** Everything, as the bodies of two lists: Services and their EndpointSlices. */
  List<byte[]> lists() {
    return List.of(
        list("v1", "Service", services, this::service),
        list("discovery.k8s.io/v1", "EndpointSlice", services, i -> slice(i, 0)));
  }

  /** The same with one more. */
  List<byte[]> lists(OneService more) {
    return List.of(
        list("v1", "Service", services + 1, i -> i == services ? more.service() : service(i)),
        list(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            services + 1,
            i -> i == services ? more.slice() : slice(i, 0)));
  }

  /** That one alone. */
  static List<byte[]> only(OneService one) {
    return List.of(
        list("v1", "Service", 1, _ -> one.service()),
        list("discovery.k8s.io/v1", "EndpointSlice", 1, _ -> one.slice()));
  }

  private static byte[] list(String version, String kind, int items, IntFunction<byte[]> item) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    body.writeBytes(
        "{\"kind\":\"%sList\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"2\"},\"items\":["
            .formatted(kind, version)
            .getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < items; i++) {
      if (i > 0) {
        body.write(',');
      }
      body.writeBytes(item.apply(i));
    }
    body.writeBytes("]}".getBytes(StandardCharsets.UTF_8));
    return body.toByteArray();
  }

  private byte[] service(int i) {
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
    "labels":{"kubernetes.io/service-name":"service-%1$d"},"uid":"s%1$d","resourceVersion":"%3$d"},\
    "addressType":"IPv4","ports":[{"name":"http","port":8080,"protocol":"TCP"}],"endpoints":[%2$s]}\
    """
        .formatted(i, list, 2 + round)
        .getBytes(StandardCharsets.UTF_8);
  }

  private static String address(int a) {
    return (a >>> 24) + "." + (a >> 16 & 255) + "." + (a >> 8 & 255) + "." + (a & 255);
  }

  /** A change of one Service: one of its endpoints is another one. */
  byte[] change(RandomGenerator random, int round) {
    return slice(random.nextInt(services), round);
  }

  /** Takes what {@link #lists} are, from bytes to the published tables. */
  void load(List<byte[]> lists) throws IOException {
    for (byte[] list : lists) {
      ListBody.read(new ByteArrayInputStream(list), item -> store.put(read(item)));
    }
    publish();
  }

  /** Takes an event's object, from bytes to the published tables; returns what it changed. */
  FrontChange apply(byte[] object) throws IOException {
    try (JsonParser parser = JSON.createParser(object)) {
      parser.nextToken();
      store.put(read(JsonFields.read(parser)));
    }
    return publish();
  }

  private FrontChange publish() {
    List<ObjectName> names = new ArrayList<>(store.takeChanges().services());
    FrontChange change = new FrontChange(List.of(), List.of());
    for (int from = 0; from < names.size(); from += BATCH) {
      List<ObjectName> some = names.subList(from, Math.min(names.size(), from + BATCH));
      change = fronts.update(store, some, List.of(), NODE);
      table.apply(change.changedOrNew(), change.removed());
    }
    return change;
  }

  private static KubernetesObject read(Field object) {
    try {
      return ManifestReader.readObject("bench", object, "", "");
    } catch (ManifestException e) {
      throw new IllegalStateException(e);
    }
  }

  FrontTable fronts() {
    return fronts;
  }
}
