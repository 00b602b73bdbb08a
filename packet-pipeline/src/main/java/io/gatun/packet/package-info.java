@org.jspecify.annotations.NullMarked
package io.gatun.packet;
