@NullMarked
package io.gatun.agent.metrics;

import org.jspecify.annotations.NullMarked;
