/** Tests of the host's pair. */
@org.jspecify.annotations.NullMarked
package io.gatun.agent.host;
