@NullMarked
package io.gatun.agent.admin;

import org.jspecify.annotations.NullMarked;
