/**
 * From Kubernetes objects to fronts.
 *
 * <p>{@link io.gatun.control.service.Fronts} is a pure function: one Service, its slices and how
 * this node sees the cluster, and out come its fronts, each with the endpoints it may use ({@link
 * io.gatun.control.service.EndpointChoice}). {@link io.gatun.control.service.FrontTable} remembers
 * what was wanted before and says what changed, so that one Service's change costs that Service.
 *
 * <p>The words are Kubernetes': an endpoint is <em>usable</em> when it is ready, or, where no
 * endpoint of the set is, when it is serving and terminating (KEP-1669); it is <em>local</em> when
 * it runs on this node; the <em>Cluster set</em> has all endpoints, the <em>Local set</em> the
 * local ones.
 */
@NullMarked
package io.gatun.control.service;

import org.jspecify.annotations.NullMarked;
