/**
 * What two threads may see of each other, tried millions of times by jcstress in forked JVMs.
 *
 * <p>{@link io.gatun.ring.jcstress.MemoryOrderIT} runs them all: briefly as part of {@code verify},
 * and for long, on a machine that has nothing else to do, with
 *
 * <pre>./mvnw -pl ring-buffers -am verify -Dtest=none -Dsurefire.failIfNoSpecifiedTests=false \
 *   -Dit.test=MemoryOrderIT -Dfailsafe.failIfNoSpecifiedTests=false -Dgatun.jcstress=default</pre>
 *
 * where the mode is {@code quick}, {@code default}, {@code tough} or {@code stress}. The report is
 * {@code ring-buffers/target/jcstress/results/index.html}.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.ring.jcstress;
