#!/bin/sh
# Links, features, addresses, rules, routes, neighbours, sysctls, nftables, namespaces and pins, a line each: to see
# that Gatun leaves a machine as it was.
#
#   bin/snapshot.sh > before; ...; bin/snapshot.sh | diff before -
exec sh "$(dirname "$0")/../lab/src/main/resources/io/gatun/lab/snapshot.sh"
