/**
 * How commands ask the running daemon: one request a connection over a UNIX socket of mode 0600.
 *
 * <p>The client sends one line, the name of a report ({@code status}, {@code services}, {@code
 * drops} …) or of an order ({@code stop}); the server answers with one JSON document, an object or
 * an array of objects, and closes. Text output is made by the client, from the same document.
 */
@NullMarked
package io.gatun.agent.admin;

import org.jspecify.annotations.NullMarked;
