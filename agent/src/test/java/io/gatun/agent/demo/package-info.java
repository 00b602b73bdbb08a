/** The demonstration and the lab's traffic checks, with Gatun as the dataplane. */
@org.jspecify.annotations.NullMarked
package io.gatun.agent.demo;
