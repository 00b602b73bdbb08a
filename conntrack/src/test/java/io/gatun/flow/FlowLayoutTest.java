package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The layout as docs/architecture.md draws it. */
class FlowLayoutTest {
  @Test
  void shouldBeAsDrawn() {
    Map<String, Integer> drawn = new TreeMap<>();
    drawn.put("flow", 128);
    drawn.put("line", 64);
    drawn.put("link", 16);
    drawn.put("bucket: slots", 10);
    drawn.put("bucket: numbers", 24);
    drawn.put("bucket: overflow", 20);
    drawn.put("entry: key", 0);
    drawn.put("entry: addresses", 8);
    drawn.put("entry: new addresses", 16);
    drawn.put("entry: new ports", 24);
    drawn.put("entry: deltas", 40);
    drawn.put("entry: last seen", 44);
    drawn.put("entry: direction", 48);
    drawn.put("entry: watched", 49);
    drawn.put("original: state", 50);
    drawn.put("original: service", 52);
    drawn.put("reply: published", 50);
    drawn.put("reply: created", 52);
    drawn.put("entry: way", 56);
    Map<String, Integer> is = new TreeMap<>();
    is.put("flow", FlowLayout.FLOW_BYTES);
    is.put("line", FlowLayout.LINE);
    is.put("link", FlowPool.LINK_BYTES);
    is.put("bucket: slots", FlowLayout.SLOTS);
    is.put("bucket: numbers", FlowLayout.NUMBERS);
    is.put("bucket: overflow", FlowLayout.OVERFLOW);
    is.put("entry: key", FlowLayout.KEY);
    is.put("entry: addresses", FlowLayout.ADDRESSES);
    is.put("entry: new addresses", FlowLayout.NEW_ADDRESSES);
    is.put("entry: new ports", FlowLayout.NEW_PORTS);
    is.put("entry: deltas", FlowLayout.DELTAS);
    is.put("entry: last seen", FlowLayout.LAST_SEEN);
    is.put("entry: direction", FlowLayout.DIRECTION);
    is.put("entry: watched", FlowLayout.WATCHED);
    is.put("original: state", FlowLayout.STATE);
    is.put("original: service", FlowLayout.SERVICE);
    is.put("reply: published", FlowLayout.PUBLISHED);
    is.put("reply: created", FlowLayout.CREATED);
    is.put("entry: way", FlowLayout.WAY);
    assertEquals(drawn, is);
  }
}
