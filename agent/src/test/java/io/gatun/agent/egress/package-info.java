@org.jspecify.annotations.NullMarked
package io.gatun.agent.egress;
