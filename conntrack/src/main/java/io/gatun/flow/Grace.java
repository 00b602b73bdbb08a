package io.gatun.flow;

/**
 * Grace periods: when may memory that readers could still look at be used anew? Answered by the
 * workers' quiescence (QSBR). Safe for use by many threads.
 */
public interface Grace {
  /** A stamp for something that new readers can no longer find. */
  long begin();

  /** True when every reader that was about when {@code stamp} was given has finished. */
  boolean over(long stamp);

  /** For one thread alone, which never removes a flow while it holds one: at once. */
  Grace NONE =
      new Grace() {
        @Override
        public long begin() {
          return 0;
        }

        @Override
        public boolean over(long stamp) {
          return true;
        }
      };
}
