#!/usr/bin/env bash
# Makes agent/target/gatun.aot, which halves the work of the daemon's start: classes, loaded and linked, and profiles.
# The daemon is run for some seconds in a network namespace of its own, as root; nothing of the machine is
# touched, and nothing depends on the outcome: without the file, or with a stale one, the start is only slower.
set -euo pipefail

home=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
. "$home/bin/jdk.sh"
find_jdk
. "$home/bin/jvm.sh"

target=$home/agent/target
exec 9>"$target/rehearsal.lock"
flock 9 # the one who waited finds it made
if [ "$target/gatun.aot" -nt "$target/agent.jar" ]; then
  exit 0
fi
work=$(mktemp -d "$target/rehearsal.XXXXXX")
trap 'rm -rf "$work"' EXIT

rehearsal() {
  ip link set lo up
  ip link add up0 type veth peer name far0
  ip link add pod0 type veth peer name far1
  ip address add 192.0.2.1/24 dev up0
  for link in up0 far0 pod0 far1; do ip link set "$link" up; done
  ip route add 198.51.100.2/32 dev pod0
  GATUN_RUN_DIR=$work/run "$JAVA_HOME/bin/java" "${jvm_options[@]}" "${daemon_options[@]}" -Dgatun.rehearsal=true \
    -XX:AOTMode=record "-XX:AOTConfiguration=$work/gatun.aotconf" "${class_path[@]}" \
    run --config "$home/bin/rehearsal/node.yaml" --manifests "$home/bin/rehearsal/manifests.yaml"
}
export -f rehearsal
export home work JAVA_HOME
# Mounts go with the namespace.
timeout 60 unshare --net --mount bash -c "$(declare -p jvm_options daemon_options class_path); set -e; rehearsal"
# ZGC takes no archived objects (before JDK 26), and linked classes need them.
timeout 60 "$JAVA_HOME/bin/java" "${jvm_options[@]}" "${daemon_options[@]}" -XX:-AOTClassLinking \
  -XX:AOTMode=create "-XX:AOTConfiguration=$work/gatun.aotconf" "-XX:AOTCache=$work/gatun.aot" "${class_path[@]}"
mv "$work/gatun.aot" "$target/gatun.aot"
