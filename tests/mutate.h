/* mutate.h - an experiment file with one thing wrong in it, as a function of a seed.
 *
 * Kinds take turns: typo, wrong type, repeated key, deep nesting, alias bomb, bad UTF-8, tab, byte order
 * mark, NUL, out of range. `say` is what the complaint must contain: the planted key, or the planted evil. */
#ifndef MUTATE_H
#define MUTATE_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MUTATE_ROOM = 1 << 17 };
typedef struct { char *text; size_t n; char say[80]; } mutant;

static uint64_t mutate_state;
static size_t mutate_draw(size_t below) { /* splitmix64 */
    uint64_t z = mutate_state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (size_t)((z ^ (z >> 31)) % below);
}

static void mutate_splice(mutant *m, size_t at, size_t cut, const char *put, size_t n) {
    memmove(m->text + at + n, m->text + at + cut, m->n - at - cut);
    memcpy(m->text + at, put, n);
    m->n += n - cut;
}
static void mutate_append(mutant *m, const char *put) { mutate_splice(m, m->n, 0, put, strlen(put)); }

/* One of the places where "key: " stands as a whole key. */
static size_t mutate_find(const mutant *m, const char *key) {
    size_t n = strlen(key), places[64], found = 0;
    for (size_t i = 1; i + n + 1 < m->n && found < 64; i++) {
        char before = m->text[i - 1];
        if ((before == ' ' || before == '\n' || before == '{') && !memcmp(m->text + i, key, n) && m->text[i + n] == ':')
            places[found++] = i;
    }
    return found ? places[mutate_draw(found)] : 0;
}

static void mutate_value(mutant *m, const char *const *value, size_t values) {
    static const char *const key[] = { "batch", "input", "threads", "rotate", "flip", "occlude", "stacks", "width", "modules", "knee",
                                       "sigma", "weight", "shards", "rate", "clip", "ema", "warmup", "valid_every", "log_every", "seed" };
    const char *k = key[mutate_draw(sizeof key / sizeof *key)], *v = value[mutate_draw(values)];
    size_t at = mutate_find(m, k) + strlen(k) + 2;
    mutate_splice(m, at, strcspn(m->text + at, ",}\n"), v, strlen(v));
    snprintf(m->say, sizeof m->say, "%s: ", k);
}

static void mutate_typo(mutant *m) {
    static const char *const key[] = { "seed", "data", "train", "valid", "mix", "batch", "input", "threads", "augment", "rotate", "flip",
                                       "puppet", "model", "stacks", "width", "modules", "losses", "sigma", "knee", "weight", "mean",
                                       "shards", "optimizer", "rate", "clip", "ema", "warmup", "save_every", "best", "hourglass", "adam" };
    const char *k = key[mutate_draw(sizeof key / sizeof *key)];
    size_t at = mutate_find(m, k), in = mutate_draw(strlen(k) + 1);
    mutate_splice(m, at + in, 0, "q", 1);
    snprintf(m->say, sizeof m->say, "%.*s", (int)strlen(k) + 1, m->text + at);
}

static void mutate_deep(mutant *m) {
    static const char *const open[] = { "[", "{a: ", "[{a: " };
    const char *o = open[mutate_draw(3)];
    size_t times = 65 + mutate_draw(20000);
    mutate_append(m, "\nextra: ");
    for (size_t i = 0; i < times; i++) mutate_append(m, o);
    snprintf(m->say, sizeof m->say, "nested more than 64 deep");
}

static void mutate_bomb(mutant *m) {
    size_t wide = 2 + mutate_draw(20), deep = 3 + mutate_draw(20);
    char line[200];
    mutate_append(m, "\nb0: &b0 [x, x]\n");
    for (size_t i = 1; i < deep; i++) {
        snprintf(line, sizeof line, "b%zu: &b%zu [", i, i);
        mutate_append(m, line);
        snprintf(line, sizeof line, "*b%zu, ", i - 1);
        for (size_t k = 0; k < wide; k++) mutate_append(m, line);
        mutate_append(m, "]\n");
    }
    snprintf(m->say, sizeof m->say, "&b0: anchors are not read");
}

static void mutate_tab(mutant *m) {
    size_t places[200], found = 0;
    for (size_t i = 1; i + 2 < m->n && found < 200; i++)
        if (m->text[i - 1] == '\n' && m->text[i] == ' ' && m->text[i + strspn(m->text + i, " ")] != '#') places[found++] = i;
    size_t at = places[mutate_draw(found)];
    mutate_splice(m, at, strspn(m->text + at, " "), "\t", 1);
    snprintf(m->say, sizeof m->say, "a tab cannot indent");
}

static void mutate_bytes(mutant *m) {
    static const char *const bad[] = { "\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\x80", "\xE2\x28\xA1" };
    const char *b = bad[mutate_draw(6)];
    mutate_splice(m, mutate_draw(m->n), 0, b, strlen(b));
    snprintf(m->say, sizeof m->say, "is not UTF-8");
}

/* `source` is a file's text; the mutant's text has MUTATE_ROOM bytes. */
static void mutate(mutant *m, const char *source, size_t n, int seed) {
    static const char *const wrong[] = { "[1, 2]", "words", "'3'", "~", "1e", "0x" };
    static const char *const far[] = { "-1", "1e300", "-.inf", ".nan", "99999999999999999999" };
    static const char *const top[] = { "name", "seed", "data", "model", "losses", "train" };
    mutate_state = (uint64_t)seed * 1000003u;
    memcpy(m->text, source, n);
    m->n = n;
    m->text[n] = 0;
    const char *key = top[mutate_draw(6)];
    char line[40];
    switch (seed % 10) {
    case 0: mutate_typo(m); break;
    case 1: mutate_value(m, wrong, 6); break;
    case 2:
        snprintf(line, sizeof line, "\n%s: 1\n", key);
        mutate_append(m, line);
        snprintf(m->say, sizeof m->say, "%s: repeated key", key);
        break;
    case 3: mutate_deep(m); break;
    case 4: mutate_bomb(m); break;
    case 5: mutate_bytes(m); break;
    case 6: mutate_tab(m); break;
    case 7:
        mutate_splice(m, 1 + mutate_draw(n - 1), 0, "\xEF\xBB\xBF", 3);
        snprintf(m->say, sizeof m->say, "byte order mark");
        break;
    case 8:
        mutate_splice(m, mutate_draw(n), 0, "\0", 1);
        snprintf(m->say, sizeof m->say, "a NUL byte");
        break;
    case 9: mutate_value(m, far, 5); break;
    }
}
#endif
