// rte_lpm for tables that rte_lpm_add takes minutes to fill, because it looks for a free group of 256 entries from the first one
// on. Its tables, whose layout is public for the inline lookup, are filled here with what rte_lpm_add would put there, shorter
// prefixes first; with a fourth argument by rte_lpm_add itself, to see that both answer the same.
// cc -O3 -march=native rte_lpm_peer.c $(pkg-config --cflags --libs libdpdk)
// Arguments: routes, addresses, seconds. Prints: lookup NS, answers HASH, routes COUNT. Bursts of 64 are timed by a pair of
// time-stamp reads each, as dpdk-test-fib does.
#include <arpa/inet.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_lpm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BURST = 64, ROUTES = 1 << 21, GROUPS = 500000 };

struct route {
  uint32_t address, hop;
  int depth;
};

static int by_depth(const void *a, const void *b) {
  return ((const struct route *)a)->depth - ((const struct route *)b)->depth;
}

static void fill(struct rte_lpm *lpm, const struct route *routes, int count) {
  uint32_t groups = 0;
  for (int i = 0; i < count; i++) {
    struct rte_lpm_tbl_entry entry = {.next_hop = routes[i].hop, .valid = 1, .depth = routes[i].depth};
    uint32_t first = routes[i].address >> 8;
    if (routes[i].depth <= 24) {
      for (uint32_t k = 0; k < 1u << (24 - routes[i].depth); k++)
        lpm->tbl24[first + k] = entry;
      continue;
    }
    struct rte_lpm_tbl_entry *slot = &lpm->tbl24[first];
    if (!slot->valid_group) {
      if (groups == GROUPS)
        exit(3);
      struct rte_lpm_tbl_entry old = *slot;
      old.valid_group = 1;
      for (int k = 0; k < 256; k++)
        lpm->tbl8[groups * 256 + k] = old;
      struct rte_lpm_tbl_entry extended = {.next_hop = groups++, .valid = 1, .valid_group = 1};
      *slot = extended;
    }
    entry.valid_group = 1;
    struct rte_lpm_tbl_entry *group = &lpm->tbl8[slot->next_hop * 256];
    for (uint32_t k = 0; k < 1u << (32 - routes[i].depth); k++)
      group[(routes[i].address & 255) + k] = entry;
  }
}

int main(int argc, char **argv) {
  char *eal[] = {"peer", "-l", "1", "--no-pci", "--in-memory", "-m", "900", "--log-level", "1"};
  if (argc < 4 || rte_eal_init(9, eal) < 0)
    return 2;
  struct rte_lpm_config config = {.max_rules = ROUTES, .number_tbl8s = GROUPS};
  struct rte_lpm *lpm = rte_lpm_create("peer", SOCKET_ID_ANY, &config);
  struct route *routes = malloc(ROUTES * sizeof *routes);
  uint32_t *addresses = malloc(ROUTES * sizeof *addresses);
  if (!lpm || !routes || !addresses)
    return 2;
  int count = 0, lookups = 0, depth;
  unsigned hop;
  char text[64];
  FILE *in = fopen(argv[1], "r");
  while (in && count < ROUTES && fscanf(in, "%63[0-9.]/%d %u\n", text, &depth, &hop) == 3) {
    struct route one = {ntohl(inet_addr(text)), hop, depth};
    routes[count++] = one;
  }
  in = fopen(argv[2], "r");
  while (in && lookups < ROUTES && fscanf(in, "%63s", text) == 1)
    addresses[lookups++] = ntohl(inet_addr(text));
  qsort(routes, count, sizeof *routes, by_depth);
  if (argc > 4)
    for (int i = 0; i < count; i++)
      rte_lpm_add(lpm, routes[i].address, routes[i].depth, routes[i].hop);
  else
    fill(lpm, routes, count);
  uint32_t hops[BURST];
  uint64_t hash = 0;
  for (int at = 0; at + BURST <= lookups; at += BURST) {
    rte_lpm_lookup_bulk(lpm, addresses + at, hops, BURST);
    for (int i = 0; i < BURST; i++)
      hash = hash * 31 + (hops[i] & RTE_LPM_LOOKUP_SUCCESS ? hops[i] & 0xFFFFFF : 0);
  }
  uint64_t spent = 0, done = 0, limit = atof(argv[3]) * rte_get_tsc_hz();
  while (spent < limit)
    for (int at = 0; at + BURST <= lookups; at += BURST, done += BURST) {
      uint64_t start = rte_rdtsc_precise();
      rte_lpm_lookup_bulk(lpm, addresses + at, hops, BURST);
      spent += rte_rdtsc_precise() - start;
    }
  printf("lookup %.2f\nanswers %lx\nroutes %d\n", (double)spent / done / rte_get_tsc_hz() * 1e9, (unsigned long)hash, count);
  return 0;
}
