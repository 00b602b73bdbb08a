/**
 * Services: from a front (address, protocol, port) to one of its endpoints.
 *
 * <p>A <em>front</em> is what clients send to: a cluster IP, a node port, an external or load
 * balancer address. A Service has several fronts per port; each front knows its endpoints, what to
 * do when there is none, and whether the client's address is replaced (masquerade). The control
 * plane describes fronts as {@link io.gatun.service.FrontSpec} and names them by {@link
 * io.gatun.service.FrontKey}; the data path sees only tables made from them.
 */
@NullMarked
package io.gatun.service;

import org.jspecify.annotations.NullMarked;
