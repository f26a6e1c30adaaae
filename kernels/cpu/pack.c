/* pack.c - labels as one block of memory, for a GPU: what leads from one part to another are places on the device. */
#include "gnomon/loss.h"
#include <string.h>

typedef struct {
    char *host;       /* NULL: the block is only measured */
    uintptr_t device; /* where it will lie */
    size_t at;
} block;

/* Lays down `bytes` in a part that has room for `room`; where that will lie. `from` NULL: left as it is. */
static const void *lay(block *b, const void *from, size_t bytes, size_t room) {
    const void *there = (const void *)(b->device + b->at);
    assert(bytes <= room);
    if (b->host && from) memcpy(b->host + b->at, from, bytes);
    b->at += (room + 15) / 16 * 16;
    return there;
}
static const void *lay_all(block *b, const void *from, size_t bytes) { return lay(b, from, bytes, bytes); }
static const char *lay_text(block *b, const char *text) { return lay_all(b, text, strlen(text) + 1); }

static const gn_skeleton *lay_skeleton(block *b, const gn_skeleton *s) {
    const char *joint[GN_JOINTS];
    gn_skeleton k = *s;
    size_t ends = 1;
    while (s->limb_end[ends - 1] >= 0) ends++;
    for (int j = 0; j < s->joints; j++) joint[j] = lay_text(b, s->joint[j]);
    k.name = lay_text(b, s->name);
    k.joint = lay_all(b, joint, sizeof *joint * (size_t)s->joints);
    k.mirror = lay_all(b, s->mirror, sizeof *s->mirror * (size_t)s->joints);
    k.bone = lay_all(b, s->bone, sizeof *s->bone * (size_t)s->bones);
    k.limb_end = lay_all(b, s->limb_end, sizeof *s->limb_end * ends);
    return lay_all(b, &k, sizeof k);
}

typedef struct { size_t of[GN_FIELD_COUNT]; } sizes; /* bytes */

static sizes sizes_of(int J, int P) {
    sizes n;
#define SIZE(name, type, count, carry, help) n.of[GN_PLACE_##name] = sizeof(type) * (size_t)(count);
    GN_FIELDS(SIZE)
#undef SIZE
    return n;
}

/* Fields of one sample; those it has not lead nowhere. */
static void lay_fields(block *b, const gn_labels *y, sizes room, gn_labels *to) {
    const sizes n = sizes_of(y->J, y->P);
    *to = *y;
#define LAY(name, type, count, carry, help)                                                        \
    {                                                                                              \
        const int has = y->has >> GN_PLACE_##name & 1;                                             \
        const size_t bytes = has ? n.of[GN_PLACE_##name] : 0;                                      \
        const void *there = lay(b, has ? y->name : NULL, bytes, room.of[GN_PLACE_##name]);         \
        to->name = has ? there : NULL;                                                             \
    }
    GN_FIELDS(LAY)
#undef LAY
}

static size_t lay_block(const gn_skeleton *s, const gn_labels *y, int samples, int pairs, void *host,
                        const void *device) {
    block b = { host, (uintptr_t)device, 0 };
    gn_labels *to = host;
    const sizes room = sizes_of(s->joints, pairs);
    lay_all(&b, NULL, sizeof *to * (size_t)samples);
    for (int i = 0; i < samples; i++) {
        if (!to) {
            for (int f = 0; f < GN_FIELD_COUNT; f++) lay_all(&b, NULL, room.of[f]);
            continue;
        }
        assert(y[i].skeleton == s && y[i].J == s->joints);
        lay_fields(&b, &y[i], room, &to[i]);
    }
    const gn_skeleton *there = lay_skeleton(&b, s);
    for (int i = 0; to && i < samples; i++) to[i].skeleton = there;
    return b.at;
}

size_t gn_labels_pack_bytes(const gn_skeleton *s, int samples, int pairs) {
    return lay_block(s, NULL, samples, pairs, NULL, NULL);
}

void gn_labels_pack(const gn_labels *y, int samples, int pairs, void *host, const void *device) {
    lay_block(y->skeleton, y, samples, pairs, host, device);
}
