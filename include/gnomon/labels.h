/* labels.h - the label fields there are, and one sample's view of them.
 *
 * A data set says which fields it has, a loss which it needs. A sample without a needed field offers
 * no terms: that is weak supervision, and it is the only place it lives. A new field is one row here.
 *
 * Units and frames are part of a field: metres; pixels of the network's input picture with centres
 * at integers; camera frame x right, y down, z forward. */
#ifndef GN_LABELS_H
#define GN_LABELS_H
#include "gnomon/formula.h"
#include "gnomon/skeleton.h"

/* name, element, elements in one sample (J joints, P pairs), how augmentation carries it, meaning */
#define GN_FIELDS(F)                                                                               \
    F(joints2d, gn_real, J * 2, POINTS, "[J 2] pixels of the input picture")                       \
    F(labelled2d, uint8_t, J, FLAGS, "[J] 1 where joints2d is annotated")                          \
    F(occluded2d, uint8_t, J, FLAGS, "[J] 1 where the joint is annotated but hidden")              \
    F(confidence2d, gn_real, J, FLAGS, "[J] of a detector; 1 for ground truth")                    \
    F(joints3d, gn_real, J * 3, POINTS3, "[J 3] metres, camera frame")                             \
    F(labelled3d, uint8_t, J, FLAGS, "[J] 1 where joints3d is annotated")                          \
    F(depth, gn_real, J, FLAGS, "[J] depth below the root in half-picture units (Zhou 2017 A3.4)") \
    F(order, int16_t, P * 3, PAIRS, "[P 3] joints a, b, and +1 a farther, -1 nearer, 0 level")     \
    F(camera, gn_real, 4, CAMERA, "[4] fx fy cx cy, pixels of the input picture")                  \
    F(pose_of_view, gn_real, 12, POSE, "[3 4] rigid transform from the world to this camera, metres") \
    F(head_size, gn_real, 1, SIZE, "[1] length of the head segment in pixels, PCKh's normaliser")

enum {
#define GN_FIELD_PLACE(name, type, count, carry, help) GN_PLACE_##name,
    GN_FIELDS(GN_FIELD_PLACE)
#undef GN_FIELD_PLACE
    GN_FIELD_COUNT
};
enum { /* bits of a set of fields */
#define GN_FIELD_BIT(name, type, count, carry, help) GN_HAS_##name = 1 << GN_PLACE_##name,
    GN_FIELDS(GN_FIELD_BIT)
#undef GN_FIELD_BIT
};

/* One sample. A field's pointer is valid only where `has` says so. */
typedef struct {
    uint32_t has;
    int J, P;          /* joints; pairs in `order` */
    int side;          /* of the square input picture, pixels */
    const gn_skeleton *skeleton;
#define GN_FIELD_MEMBER(name, type, count, carry, help) const type *name;
    GN_FIELDS(GN_FIELD_MEMBER)
#undef GN_FIELD_MEMBER
} gn_labels;

/* The same in memory of its own. */
typedef struct {
#define GN_FIELD_MEMBER(name, type, count, carry, help) type *name;
    GN_FIELDS(GN_FIELD_MEMBER)
#undef GN_FIELD_MEMBER
} gn_label_store;

/* A sample's labels on the map's other skeleton; returns its fields. Where there are joints there are then flags of
 * those labelled, and of the pairs in `order` those whose joints both have a counterpart: P. `to` has room for
 * every field; none of it may be the sample's own. */
uint32_t gn_labels_carry(const gn_joint_map *m, const gn_labels *from, gn_label_store *to, int *P);

const char *gn_field_name(int place);
/* "joints2d labelled2d": the names in a set of fields, or "none"; two may be in use at once */
const char *gn_fields_text(uint32_t fields);
#endif
