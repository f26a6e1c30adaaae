/* school.h - a tiny experiment in a folder of its own, for tests that train. */
#ifndef SCHOOL_H
#define SCHOOL_H
#include "near.h"
#include "gnomon/io.h"
#include "gnomon/log.h"
#include "gnomon/train.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char school[64]; /* its folder */

static const char tiny_experiment[] =
    "name: tiny\nseed: 3\n"
    "data:\n"
    "  root: %s/data\n  train: [puppet_lab, puppet_wild]\n  valid: [puppet_wild]\n  mix: [1, 1]\n  batch: 16\n  input: 32\n"
    "  augment: {rotate: 30, scale: 0.25, flip: 0.5}\n"
    "  puppet: {train: 40, valid: 10, size: 32}\n"
    "model: {hourglass: {stacks: 1, width: 8, depth: 1, modules: 1, depth_modules: 1}}\n"
    "losses:\n  heatmap: {weight: 1}\n  depth: {weight: 0.1}\n"
    "train:\n  shards: 8\n  optimizer: {adam: {rate: 0.001}}\n  ema: 0.9\n  clip: 0.05\n"
    "  valid_every: 4\n  save_every: 3\n  log_every: 1\n"
    "  stages:\n"
    "    heatmap: {losses.depth.weight: 0, train.steps: 5}\n"
    "    depth: {train.steps: 5, train.warmup: 2}\n";

static inline int school_open(void **state) {
    (void)state;
    strcpy(school, access("/dev/shm", W_OK) ? "/tmp/gnomon-school-XXXXXX" : "/dev/shm/gnomon-school-XXXXXX");
    if (!mkdtemp(school)) return 1;
    char text[4096], path[128];
    int n = snprintf(text, sizeof text, tiny_experiment, school);
    snprintf(path, sizeof path, "%s/tiny.yaml", school);
    gn_log_quiet(1);
    return gn_io_write(path, text, (size_t)n) != GN_OK;
}
static inline int school_close(void **state) {
    (void)state;
    return gn_io_remove(school) != GN_OK;
}

static inline const char *school_path(const char *name) {
    static char path[4][256];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[0], "%s/%s", school, name);
    return path[next];
}

/* Trains in school/NAME with overrides "a=b c=d". */
static inline gn_status school_train(const char *name, const char *overrides, int resume) {
    gn_arena *a = gn_arena_new("run");
    gn_experiment e = { 0 };
    char words[512], *word[16];
    int n = 0;
    snprintf(words, sizeof words, "%s", overrides);
    for (char *w = strtok(words, " "); w && n < 16; w = strtok(NULL, " ")) word[n++] = w;
    gn_status status = gn_experiment_read(a, school_path("tiny.yaml"), n, word, &e);
    if (!status) status = gn_train(&e, a, school_path(name), resume);
    gn_arena_free(a);
    return status;
}

/* The hash that a run's log ends with; 0: there is none. */
static inline uint64_t school_weights(const char *name) {
    gn_arena *a = gn_arena_new("log");
    char path[256];
    void *text;
    size_t n;
    uint64_t hash = 0;
    snprintf(path, sizeof path, "%s/%s/log.txt", school, name);
    OK(gn_io_read(a, path, 1 << 22, &text, &n));
    for (const char *at = text; (at = strstr(at, " weights ")); at++) {
        unsigned long long found = strtoull(at + 9, NULL, 16);
        if (found) hash = found;
    }
    gn_arena_free(a);
    return hash;
}
#endif
