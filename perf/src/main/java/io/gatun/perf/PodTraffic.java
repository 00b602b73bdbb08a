package io.gatun.perf;

import io.gatun.lab.Node;
import java.io.IOException;
import java.util.List;

/** A client and a server in two pods, which talk through a Service over TCP. Stateless. */
interface PodTraffic {
  /** The Service's address; its port and its endpoint's are {@link #port}. */
  String clusterIp();

  int port();

  /** Starts the server in {@code pod}, without waiting for it. */
  void serve(Node pod) throws IOException;

  /** The client's command line for {@code seconds} with whoever has the address {@code server}. */
  List<String> words(String server, int seconds);

  /** What a client reported, as figures. */
  double[] figures(String output) throws IOException;

  /** Units of work in a report, for the processor time that each took. */
  double work(String output) throws IOException;
}
