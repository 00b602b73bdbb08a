/**
 * YAML and JSON texts as trees of {@link io.gatun.control.document.Field}s that know where they
 * are.
 *
 * <p>{@link io.gatun.control.document.Documents} turns a text into one tree per document, within
 * bounds (size, depth, number of values, copies made by aliases), so that a hostile file costs no
 * more than an honest one. A reader asks a Field for what it expects; a Field that holds something
 * else answers with one sentence: {@code spec.ports[0].port: got "http", expected an integer from 1
 * to 65535}. Manifests and configuration are both read this way, so their mistakes read alike.
 *
 * <p>JSON needs no reader of its own: it is YAML 1.2.
 */
@NullMarked
package io.gatun.control.document;

import org.jspecify.annotations.NullMarked;
