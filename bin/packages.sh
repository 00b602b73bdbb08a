#!/usr/bin/env bash
# Installs the Debian packages that a command needs and that are missing: packages.sh demo|bench|test
# Called by ./gatun (demo, lab, bench) and .ci/run; `gatun run` and `gatun check` never install.
set -euo pipefail

# program:package, because a package that is there under another name need not be installed; or a file's path
demo="ip:iproute2 nsenter:util-linux curl:curl dig:dnsutils dnsmasq:dnsmasq-base iperf3:iperf3 python3:python3 ping:iputils-ping nft:nftables ethtool:ethtool"
bench="$demo gcc:gcc pkg-config:pkg-config dpdk-testpmd:dpdk-dev dpdk-test-fib:dpdk-dev /usr/include/dpdk/rte_hash.h:libdpdk-dev xz:xz-utils sockperf:sockperf /usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk:openvswitch-switch-dpdk"
test="$demo socat:socat sockperf:sockperf tcpdump:tcpdump bird:bird2 udhcpc:udhcpc setpriv:util-linux traceroute:traceroute tshark:tshark openssl:openssl /usr/lib/cni/bridge:containernetworking-plugins"

case "${1:-}" in
  demo | lab) wanted=$demo ;;
  bench) wanted=$bench ;;
  test) wanted=$test ;;
  *) echo "usage: packages.sh demo|lab|bench|test" >&2; exit 2 ;;
esac

missing=()
for pair in $wanted; do
  [ -e "${pair%%:*}" ] || PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "gatun: needs these Debian packages: ${missing[*]}" >&2
  exit 2
fi
echo "gatun: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get install -y -q --no-install-recommends "${missing[@]}" ||
       { apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; }; } >"$log" 2>&1; then
  tail -n 5 "$log" >&2
  echo "gatun: could not install ${missing[*]} (whole output: $log)" >&2
  exit 1
fi
rm -f "$log"
