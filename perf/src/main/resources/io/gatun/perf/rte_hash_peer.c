// What rte_hash of libdpdk does, for `gatun bench conntrack`: keys of 16 bytes as hash_perf_autotest
// has them, as many, looked up in bursts of 64 in random order.
// cc -O3 -march=native rte_hash_peer.c $(pkg-config --cflags --libs libdpdk)
// Arguments: keys, seconds. Prints: hit NS, miss NS.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>

#define BURST 64
#define SAMPLES 65536

static uint64_t state = 0x9e3779b97f4a7c15ull;

static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return d < 0 ? -1 : d > 0;
}

// Median nanoseconds a key: a round that lost the core does not count.
static double run(const struct rte_hash *hash, uint64_t *keys, uint32_t n, double seconds, int hits) {
  static double samples[SAMPLES];
  static volatile uint64_t found;
  const void *burst[BURST];
  void *data[BURST];
  uint64_t mask;
  uint32_t rounds = 0, at = 0;
  double start = now(), before = start;
  while (before - start < seconds && rounds < SAMPLES) {
    for (int k = 0; k < 64; k++) {
      for (int i = 0; i < BURST; i++) burst[i] = keys + 2 * (uint64_t)(at + i);
      rte_hash_lookup_bulk_data(hash, burst, BURST, &mask, data);
      if (mask != (hits ? UINT64_MAX : 0)) exit(3);
      found += mask;
      at = at + 2 * BURST > n ? 0 : at + BURST;
    }
    double end = now();
    samples[rounds++] = (end - before) * 1e9 / (64 * BURST);
    before = end;
  }
  qsort(samples, rounds, sizeof *samples, ascending);
  return samples[rounds / 2];
}

int main(int argc, char **argv) {
  char *eal[] = {argv[0], "-l", "1", "--no-pci", "--in-memory", "--no-telemetry", "-m", argv[3]};
  if (argc < 4 || rte_eal_init(8, eal) < 0) return 2;
  uint32_t n = atoi(argv[1]);
  double seconds = atof(argv[2]);
  struct rte_hash_parameters p = {.name = "peer", .entries = n + n / 3, .key_len = 16, .hash_func = rte_hash_crc};
  struct rte_hash *hash = rte_hash_create(&p);
  uint64_t *keys = malloc(32ull * n), *others = keys + 2ull * n;
  if (!hash || !keys) return 2;
  for (uint64_t i = 0; i < 4ull * n; i++) keys[i] = next();
  uint32_t added = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (rte_hash_add_key_data(hash, keys + 2ull * i, (void *)(uintptr_t)(i + 1)) == 0) {
      keys[2ull * added] = keys[2ull * i];
      keys[2ull * added + 1] = keys[2ull * i + 1];
      added++;
    }
  }
  for (uint32_t i = added - 1; i > 0; i--) {  // another order than that of insertion
    uint32_t j = next() % (i + 1);
    uint64_t a = keys[2ull * i], b = keys[2ull * i + 1];
    keys[2ull * i] = keys[2ull * j], keys[2ull * i + 1] = keys[2ull * j + 1];
    keys[2ull * j] = a, keys[2ull * j + 1] = b;
  }
  double hit = run(hash, keys, added, seconds / 2, 1);
  printf("hit %.3f\nmiss %.3f\nkeys %u\n", hit, run(hash, others, n, seconds / 2, 0), added);
  return 0;
}
