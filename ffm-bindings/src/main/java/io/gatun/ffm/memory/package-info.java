@org.jspecify.annotations.NullMarked
package io.gatun.ffm.memory;
