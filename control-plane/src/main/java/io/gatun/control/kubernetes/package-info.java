/**
 * Kubernetes' API server as the source of objects.
 *
 * <pre>
 *   ApiServer ─ list, watch ─ Reflector (one a kind, own thread) ─ Update ─ ClusterSource ─ ObjectStore
 *   HTTP, TLS, who we are     what to ask next, when                queue    control thread      │
 *                                                                  StateFile ◄─ last known state ┘
 * </pre>
 *
 * <p>What is relied on is what Kubernetes documents (kubernetes.io, "Kubernetes API Concepts",
 * cited as AC below), nothing that a mock does: a list tells the resource version to watch from
 * (AC, "Efficient detection of changes"); a watch may end at any time and is begun again from the
 * version last seen; that version may be too old, which is 410 as a status or as an ERROR event,
 * and then the list is taken again; bookmarks move the version forward but may never come (AC,
 * "Watch bookmarks"); a list may come in pieces, whose {@code continue} may expire with 410 (AC,
 * "Retrieving large results sets in chunks"). Versions are passed on as they came; where two are
 * numbers they are compared, which is documented since 1.35 (KEP-5504) and true of etcd before.
 *
 * <p>A list replaces what is known at once, as differences, so a list that is taken again changes
 * nothing that is the same. An object with a mistake is named once, and what was known of it stays.
 */
@NullMarked
package io.gatun.control.kubernetes;

import org.jspecify.annotations.NullMarked;
