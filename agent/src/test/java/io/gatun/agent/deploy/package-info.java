@NullMarked
package io.gatun.agent.deploy;

import org.jspecify.annotations.NullMarked;
