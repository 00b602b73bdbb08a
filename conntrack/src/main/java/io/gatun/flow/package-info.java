/**
 * Flows: what Gatun remembers of traffic that it translates, and nothing of other traffic.
 *
 * <p>A <em>flow</em> is 128 bytes: one <em>entry</em> for each direction. An entry is found by the
 * five-tuple as packets of its direction arrive, and holds all that such a packet needs: what to
 * write instead, by how much the checksums change, and the way out. What belongs to both (state,
 * Service, age) stands in the room that they leave. With the index that makes 184 bytes a flow.
 *
 * <pre>
 *   bucket (64 bytes)                      flow (2 × 64 bytes)
 *   ┌ 8 tags of 16 bits ┐                  ┌ original: key, rewrite, deltas, last seen, way out ┐
 *   │ 8 entry numbers   │ ───────────────► ├ reply:    key, rewrite, deltas, last seen, way out ┤
 *   └ overflow bucket   ┘                  └────────────────────────────────────────────────────┘
 * </pre>
 *
 * <p>A miss, which every plainly routed packet is, reads the bucket and nothing else. Readers take
 * no lock: an entry number is stored, with release order, when the flow is whole, and a flow is
 * given to somebody else only after every worker has passed a quiescent point ({@link
 * io.gatun.ring.qsbr.Qsbr}), so an entry that a worker found stays what it was until the worker has
 * done with its vector.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.flow;
