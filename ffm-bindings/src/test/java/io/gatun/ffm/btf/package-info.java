/** Reads the types the running kernel was compiled with, to compare our constants with them. */
@org.jspecify.annotations.NullMarked
package io.gatun.ffm.btf;
