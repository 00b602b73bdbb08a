/**
 * What load balancers, kubelets and people ask about a node: healthz, livez, and a port for each
 * Service with a {@code healthCheckNodePort} (shared/semantics.md, 7; KEP-3458). Codes and bodies
 * are kube-proxy's. Served by the JDK's HTTP server on virtual threads.
 */
@NullMarked
package io.gatun.agent.health;

import org.jspecify.annotations.NullMarked;
