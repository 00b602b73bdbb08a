@NullMarked
package io.gatun.agent.health;

import org.jspecify.annotations.NullMarked;
