@org.jspecify.annotations.NullMarked
package io.gatun.pipeline;
