# Sourced by ./gatun and bin/rehearse.sh, with $home set: the JVM's options that both have to have in common.

class_path=(-cp "$home/agent/target/agent.jar:$home/agent/target/lib/*" io.gatun.agent.Main)

jvm_options=(
  --enable-native-access=ALL-UNNAMED
  --add-exports java.base/jdk.internal.misc=ALL-UNNAMED
  -XX:-UsePerfData
)

# The collector is part of the data path: a worker stops at each of its pauses (docs/architecture.md). Of
# the gigabyte a node with 1,000 Services uses 30 MB and with 50,000 x 5 200; more is for loads on busy cores,
# where 512 MB ran full, and is given back within seconds.
daemon_options=(-XX:+UseZGC -Xms16m -Xmx1g -XX:ZUncommitDelay=5)
