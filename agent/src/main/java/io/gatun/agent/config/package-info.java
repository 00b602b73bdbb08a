/**
 * The configuration file, as records with every default filled in.
 *
 * <p>{@link io.gatun.agent.config.Configuration#read} takes either kind of document: a {@code
 * GatunConfiguration}, or the {@code KubeProxyConfiguration} that a cluster already has. A mistake
 * is one line that names the file, the field, what it says and what was expected; an unknown field
 * names the nearest known one. What is read has been checked: nobody checks it again.
 */
@NullMarked
package io.gatun.agent.config;

import org.jspecify.annotations.NullMarked;
