/* procrustes.c - the best similarity between two sets of points, by Horn's quaternion (1987).
 *
 * The rotation is the eigenvector of a symmetric 4x4 matrix with the largest eigenvalue. It is a
 * rotation always, never a reflection, and exists for degenerate points too: where it is not unique
 * any choice is equally good. */
#include "gnomon/metric.h"
#include <math.h>
#include <string.h>

/* Eigenvector of the largest eigenvalue of symmetric A, by cyclic Jacobi rotations; A is destroyed. */
static void largest(double A[4][4], double vector[4], double *value) {
    double V[4][4] = { { 1, 0, 0, 0 }, { 0, 1, 0, 0 }, { 0, 0, 1, 0 }, { 0, 0, 0, 1 } };
    for (int sweep = 0; sweep < 32; sweep++) {
        double off = 0, on = 0;
        for (int i = 0; i < 4; i++)
            for (int k = 0; k < 4; k++) *(i == k ? &on : &off) += A[i][k] * A[i][k];
        if (!(off > 1e-30 * on)) break;
        for (int p = 0; p < 3; p++)
            for (int q = p + 1; q < 4; q++) {
                if (A[p][q] == 0) continue;
                double half = (A[q][q] - A[p][p]) / (2 * A[p][q]);
                double t = (half < 0 ? -1 : 1) / (fabs(half) + hypot(half, 1)), c = 1 / hypot(t, 1), s = t * c;
                for (int k = 0; k < 4; k++) {
                    double x = A[k][p], y = A[k][q];
                    A[k][p] = c * x - s * y, A[k][q] = s * x + c * y;
                    x = V[k][p], y = V[k][q];
                    V[k][p] = c * x - s * y, V[k][q] = s * x + c * y;
                }
                for (int k = 0; k < 4; k++) {
                    double x = A[p][k], y = A[q][k];
                    A[p][k] = c * x - s * y, A[q][k] = s * x + c * y;
                }
            }
    }
    int best = 0;
    for (int i = 1; i < 4; i++)
        if (A[i][i] > A[best][best]) best = i;
    for (int k = 0; k < 4; k++) vector[k] = V[k][best];
    *value = A[best][best];
}

static void rotation(const double q[4], double R[3][3]) {
    double w = q[0], x = q[1], y = q[2], z = q[3];
    double r[3][3] = { { w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y) },
                       { 2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x) },
                       { 2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z } };
    memcpy(R, r, sizeof r);
}

/* Largest coordinate about the mean: what keeps products within range. 1 for points in one place. */
static double extent(int n, const double (*x)[3], double mean[3]) {
    double most = 0;
    for (int k = 0; k < 3; k++) {
        mean[k] = 0;
        for (int j = 0; j < n; j++) mean[k] += x[j][k] / n;
        for (int j = 0; j < n; j++) most = fmax(most, fabs(x[j][k] - mean[k]));
    }
    return most > 0 ? most : 1;
}

void gn_similarity_fit(int n, const double (*from)[3], const double (*to)[3], double (*fitted)[3]) {
    double x0[3], y0[3], S[3][3] = { { 0 } }, spread = 0;
    double x1 = extent(n, from, x0), y1 = extent(n, to, y0);
    for (int j = 0; j < n; j++)
        for (int i = 0; i < 3; i++) {
            double x = (from[j][i] - x0[i]) / x1;
            spread += x * x;
            for (int k = 0; k < 3; k++) S[i][k] += x * ((to[j][k] - y0[k]) / y1);
        }
    double N[4][4] = {
        { S[0][0] + S[1][1] + S[2][2], S[1][2] - S[2][1], S[2][0] - S[0][2], S[0][1] - S[1][0] },
        { S[1][2] - S[2][1], S[0][0] - S[1][1] - S[2][2], S[0][1] + S[1][0], S[2][0] + S[0][2] },
        { S[2][0] - S[0][2], S[0][1] + S[1][0], S[1][1] - S[0][0] - S[2][2], S[1][2] + S[2][1] },
        { S[0][1] - S[1][0], S[2][0] + S[0][2], S[1][2] + S[2][1], S[2][2] - S[0][0] - S[1][1] },
    };
    double q[4], top, R[3][3];
    largest(N, q, &top);
    rotation(q, R);
    /* the largest eigenvalue is tr(R S): over the spread it is the best scale; points in one place have none */
    double scale = spread > 0 ? top / spread : 0;
    for (int j = 0; j < n; j++) {
        double x[3];
        for (int k = 0; k < 3; k++) x[k] = (from[j][k] - x0[k]) / x1;
        for (int i = 0; i < 3; i++)
            fitted[j][i] = y0[i] + y1 * scale * (R[i][0] * x[0] + R[i][1] * x[1] + R[i][2] * x[2]);
    }
}
