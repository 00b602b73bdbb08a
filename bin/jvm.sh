# Sourced by ./gatun and bin/rehearse.sh, with $home set: the JVM's options that both have to have in common.

class_path=(-cp "$home/agent/target/agent.jar:$home/agent/target/lib/*" io.gatun.agent.Main)

jvm_options=(
  --enable-native-access=ALL-UNNAMED
  --add-exports java.base/jdk.internal.misc=ALL-UNNAMED
  -XX:-UsePerfData
)

# The collector is part of the data path: a worker stops at each of its pauses (docs/architecture.md).
daemon_options=(-XX:+UseZGC -Xms16m -Xmx512m -XX:ZUncommitDelay=5)
