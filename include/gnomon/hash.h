/* hash.h - XXH3: to notice changed bits, not to resist an enemy. */
#ifndef GN_HASH_H
#define GN_HASH_H
#include <stddef.h>
#include <stdint.h>

uint64_t gn_hash(const void *bytes, size_t n);
uint64_t gn_hash_more(uint64_t so_far, const void *bytes, size_t n); /* chained: order matters */
#endif
