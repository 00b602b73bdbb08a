/**
 * Files of Kubernetes objects, read whole or refused whole, and watched.
 *
 * <p>{@link io.gatun.control.manifest.ManifestReader} reads one text: any number of documents, each
 * an object or a List of objects, as {@code kubectl get -o yaml|json} prints them. {@link
 * io.gatun.control.manifest.Manifests} reads a file or a folder of them. {@link
 * io.gatun.control.manifest.ManifestSource} keeps looking: a change is there within 100 ms, a
 * change with a mistake changes nothing and is named once.
 */
@NullMarked
package io.gatun.control.manifest;

import org.jspecify.annotations.NullMarked;
