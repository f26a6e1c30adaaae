/* pose.c - what metrics of one person and of several share: which joints count, errors, canonical scale. */
#include "gnomon/metric.h"
#include <math.h>
#include <string.h>

int gn_pck3d_joint(const gn_skeleton *k, int joint) {
    return gn_joint_is_limb(k, joint) || joint == gn_joint_neck(k) || !strcmp(k->joint[joint], "head_top");
}

double gn_distance(const double *a, const double *b) {
    return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

double gn_auc3d(double mm) {
    int above = 0;
    for (int t = 0; t <= 150; t += 5) above += mm < t;
    return 100.0 * above / 31;
}

void gn_canonical_pose(const gn_skeleton *s, int side, const gn_prediction *said, double bones_mm, double (*xyz)[3]) {
    double sum = 0;
    for (int j = 0; j < s->joints; j++) {
        xyz[j][0] = said->uv[j][0], xyz[j][1] = said->uv[j][1];
        xyz[j][2] = said->z[j] * side / 2;
    }
    for (int e = 0; e < s->bones; e++) sum += gn_distance(xyz[s->bone[e].a], xyz[s->bone[e].b]);
    double root[3] = { 0 };
    for (int j = 0; j < s->joints; j++) /* without a root, about the middle */
        for (int k = 0; k < 3; k++) root[k] += s->root < 0 ? xyz[j][k] / s->joints : j == s->root ? xyz[j][k] : 0;
    for (int j = 0; j < s->joints; j++)
        for (int k = 0; k < 3; k++) xyz[j][k] = sum == 0 ? 0 : (xyz[j][k] - root[k]) * bones_mm / sum;
}
