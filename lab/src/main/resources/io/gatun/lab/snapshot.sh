#!/bin/sh
# What this machine, or the network namespace it is run in, looks like to its kernel: one line a fact, its kind in
# front. What changes by itself (counters, ages, ports of multicast routers) is left out: two runs on an untouched
# machine print the same. Run by Snapshot.java and, by hand, as bin/snapshot.sh.
PATH=$PATH:/usr/sbin:/sbin

for tool in ip tc ethtool sysctl nft; do
  command -v $tool >/dev/null || { echo "snapshot.sh: $tool is not installed: nothing can be compared" >&2; exit 2; }
done

fact() {
  kind=$1
  shift
  "$@" 2>/dev/null | sed -E "s/(valid_lft|preferred_lft|expires|hoplimit) [^ ]+//g; s/[[:space:]]+/ /g; s/ \$//; s/^/$kind: /"
}

features() {
  for device in $(ip -o link | sed 's/^[0-9]*: \([^:@]*\).*/\1/'); do
    ethtool -k "$device" | grep -v fixed | sed "s/^/$device /"
  done
}

pins() {
  # Several mounts may lie on one point; only the last is seen.
  awk '$3 == "bpf" { print $2 }' /proc/self/mounts | sort -u | while read -r mount; do
    find "$mount" | sort
  done
}

fact link ip -o link show
fact feature features
fact address ip -o address show
fact rule ip -4 rule
fact rule6 ip -6 rule
fact route ip -o -4 route show table all
fact route6 ip -o -6 route show table all
fact neighbour ip -o neigh show nud permanent
fact proxy ip -o neigh show proxy
fact qdisc tc qdisc show
fact sysctl sysctl -a -e -r '^net\.(ipv4\.ip_forward|ipv4\.ip_local|ipv[46]\.conf\..*\.(forwarding|rp_filter|proxy_arp|proxy_ndp|accept_local|arp_ignore|arp_announce|route_localnet|accept_ra|accept_dad|disable_ipv6|send_redirects)$)'
fact nft nft -s list ruleset
fact namespace ls /run/netns
fact pin pins
