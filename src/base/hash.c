/* hash.c - the one file that knows xxhash. */
#include "gnomon/hash.h"
#include "gnomon/version.h"
#include <stdio.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t gn_hash(const void *bytes, size_t n) { return XXH3_64bits(bytes, n); }

uint64_t gn_hash_more(uint64_t so_far, const void *bytes, size_t n) {
    return XXH3_64bits_withSeed(bytes, n, so_far);
}

const char *gn_hash_version(void) {
    static char text[16];
    unsigned v = XXH_versionNumber();
    snprintf(text, sizeof text, "%u.%u.%u", v / 10000, v / 100 % 100, v % 100);
    return text;
}
