# Sourced by ./gatun and ./mvnw: sets JAVA_HOME to a JDK 25 or newer, or says what to install. Where nothing can
# be built (an image), jdk_tool=java: without a compiler will do.

# Prints the feature release of the JDK in folder $1 (0 when it is none), read from its `release`
# file because starting a JVM only to ask its version would cost more than the whole command.
jdk_feature() {
  [ -x "$1/bin/${jdk_tool:-javac}" ] && [ -r "$1/release" ] || { echo 0; return; }
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

find_jdk() {
  if [ -n "${JAVA_HOME:-}" ] && [ "$(jdk_feature "$JAVA_HOME")" -ge 25 ] 2>/dev/null; then
    export JAVA_HOME
    return 0
  fi
  jdk_best=24
  for jdk_dir in /usr/lib/jvm/*; do
    jdk_version=$(jdk_feature "$jdk_dir")
    if [ "${jdk_version:-0}" -gt "$jdk_best" ]; then
      jdk_best=$jdk_version
      JAVA_HOME=$jdk_dir
    fi
  done
  if [ "$jdk_best" -lt 25 ]; then
    echo "gatun: needs JDK 25 or newer; install one (Debian: apt-get install temurin-25-jdk, from adoptium.net) or set JAVA_HOME" >&2
    return 2
  fi
  export JAVA_HOME
}
