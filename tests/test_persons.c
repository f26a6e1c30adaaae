/* test_persons.c - people of a picture against NumPy's values, and each protocol at its edges. */
#include "gnomon/persons.h"
#include "near.h"
#include <string.h>

#define K (&gn_mpi17)
enum { J = 17, PELVIS = 14, NECK = 1, SEQUENCES = 2, PICTURES = 8, PEOPLE = 3 };
static const double poses[9][16 * 3] = {
#include "golden/poses.h"
};
static const struct { const char *name; double everybody, matched; } golden[] = {
#include "golden/persons.h"
};
static gn_arena *arena;

static int open_arena(void **state) { return (void)state, !(arena = gn_arena_new("test")); }
static int free_arena(void **state) { return (void)state, gn_arena_free(arena), 0; }

/* --- the people of golden/persons.py --- */

static void project(gn_person *p) {
    for (int j = 0; j < J; j++)
        for (int k = 0; k < 2; k++) p->uv[j][k] = 1100 * p->xyz[j][k] / p->xyz[j][2] + (k ? 540 : 960);
}

static gn_person true_person(int q, int f, int t) {
    static const int mpii[J] = { 9, 8, 12, 11, 10, 13, 14, 15, 2, 1, 0, 3, 4, 5, 6, 7, 9 };
    const double *from = poses[(3 * f + 2 * t + 4 * q) % 9];
    double at[3] = { 900 * t - 900 + 200 * sin(1.1 * f), 150 * cos(0.7 * f + q), 4200 + 500 * sin(2.3 * t + 0.9 * f + 1.3 * q) };
    gn_person p = { .score = 0 };
    for (int j = 0; j < J; j++) {
        p.known[j] = q != 1 || (5 * f + 3 * t + j) % 17 != 4;
        for (int k = 0; k < 3; k++) p.xyz[j][k] = 1000 * (from[3 * mpii[j] + k] - from[3 * 6 + k]) + at[k];
    }
    project(&p);
    return p;
}

static gn_person said_person(int q, int f, int t) {
    gn_person p = true_person(q, f, t);
    double middle[3];
    memcpy(middle, p.xyz[PELVIS], sizeof middle);
    for (int j = 0; j < J; j++) {
        double off = 26 * sin(1.3 * j + 2.1 * f + t), far = (f + t) % 7 == 3 ? 60 : 0;
        p.uv[j][0] += off + far, p.uv[j][1] += -off + far;
        p.known[j] = (j + f) % 11 != 5;
        for (int k = 0; k < 3; k++) {
            double root = (k == 0 ? 60 : k == 1 ? 50 : 260) * sin(1.9 * f + 2.7 * t + 0.8 * q + k);
            double bend = j == PELVIS ? 0 : (k == 2 ? 110 : 60) * sin(2.1 * j + 1.3 * k + 0.7 * f + 1.7 * t);
            p.xyz[j][k] = middle[k] + root + (0.9 + 0.05 * t) * (p.xyz[j][k] - middle[k]) + bend;
        }
    }
    p.score = 0.5 + 0.5 * sin(3.7 * f + 1.9 * t + q);
    return p;
}

static void make(gn_people *picture, gn_person (*truth)[PEOPLE], gn_person (*said)[PEOPLE]) {
    for (int q = 0; q < SEQUENCES; q++)
        for (int f = 0; f < PICTURES; f++) {
            int i = q * PICTURES + f;
            picture[i] = (gn_people){ .sequence = q, .truths = f % (PEOPLE + 1), .truth = truth[i], .said = said[i] };
            for (int t = 0; t < PEOPLE; t++) truth[i][t] = true_person(q, f, t);
            for (int t = PEOPLE - 1; t >= 0; t--)
                if ((f + 2 * t + q) % 5) said[i][picture[i].saids++] = said_person(q, f, t);
        }
}

static void test_golden(void **state) {
    (void)state;
    static gn_people picture[SEQUENCES * PICTURES];
    static gn_person truth[SEQUENCES * PICTURES][PEOPLE], said[SEQUENCES * PICTURES][PEOPLE];
    make(picture, truth, said);
    for (int whom = GN_EVERYBODY; whom <= GN_MATCHED; whom++) {
        gn_scores s = { .set = "golden" };
        OK(gn_persons_score(K, picture, SEQUENCES * PICTURES, whom, arena, &s));
        assert_int_equal(s.n, sizeof golden / sizeof *golden);
        for (int i = 0; i < s.n; i++) {
            const gn_score *c = gn_score_find(&s, golden[i].name);
            if (!c) fail_msg("no score %s", golden[i].name);
            double wish = whom == GN_EVERYBODY ? golden[i].everybody : golden[i].matched;
            if (!(fabs(c->value - wish) <= 1e-6 * wish))
                fail_msg("%s, mode %d: %.12g, NumPy says %.12g", golden[i].name, whom, c->value, wish);
        }
    }
}

/* --- one picture at a time --- */

/* A person of limbs 100 mm apart along y; pixels as given; said joints where they are. */
static gn_person stand(double x, double z, double u) {
    gn_person p = { .score = 1 };
    for (int j = 0; j < J; j++) {
        p.xyz[j][0] = x, p.xyz[j][1] = 100 * j, p.xyz[j][2] = z;
        p.uv[j][0] = u, p.uv[j][1] = 10 * j;
        p.known[j] = 1;
    }
    return p;
}

static double score(const gn_people *picture, int n, int whom, const char *name) {
    gn_scores s = { .set = "edge" };
    OK(gn_persons_score(K, picture, n, whom, arena, &s));
    const gn_score *c = gn_score_find(&s, name);
    return c ? c->value : (double)NAN;
}

static void test_match(void **state) {
    (void)state;
    int match[2];
    gn_person truth[2] = { stand(0, 4000, 0), stand(0, 4000, 30) }, said[2] = { stand(0, 4000, 39), stand(0, 4000, 30) };
    gn_people p = { .truths = 2, .saids = 2, .truth = truth, .said = said };
    gn_persons_match(K, &p, match); /* both see 13 joints near: the first wins, in order, not the nearest */
    assert_int_equal(match[0], 0);
    assert_int_equal(match[1], 1);
    said[0].uv[NECK][0] = 40; /* not less than 40: 12 joints */
    gn_persons_match(K, &p, match);
    assert_int_equal(match[0], 1);
    assert_int_equal(match[1], 0);
    said[1].known[2] = said[1].known[3] = 0; /* 11: what is not said is not near */
    gn_persons_match(K, &p, match);
    assert_int_equal(match[0], 0);
    truth[0].known[NECK] = 0, said[1].known[2] = said[1].known[3] = 1; /* 12 of both: nor what is not annotated */
    gn_persons_match(K, &p, match);
    assert_int_equal(match[0], 0);
    said[0].uv[6][1] = NAN; /* 11 */
    gn_persons_match(K, &p, match);
    assert_int_equal(match[0], 1);
    said[0].uv[6][1] = 60, said[1].uv[6][1] = NAN;
    gn_persons_match(K, &p, match);
    assert_int_equal(match[0], 0);
    p.saids = 1;
    gn_persons_match(K, &p, match);
    assert_int_equal(match[1], -1); /* taken */
    said[0] = stand(0, 4000, 90);
    said[0].uv[0][0] = said[0].uv[PELVIS][0] = said[0].uv[15][0] = said[0].uv[16][0] = 0;
    gn_persons_match(K, &p, match); /* head top, pelvis, spine and head do not speak */
    assert_int_equal(match[0], -1);
    p.saids = 0;
    gn_persons_match(K, &p, match);
    assert_int_equal(match[0], -1);
}

static void test_stretch(void **state) {
    (void)state;
    gn_person y = true_person(0, 1, 0), x = y;
    double to[GN_JOINTS][3];
    for (int j = 0; j < J; j++)
        for (int k = 0; k < 3; k++) x.xyz[j][k] = y.xyz[PELVIS][k] + 1.7 * (y.xyz[j][k] - y.xyz[PELVIS][k]);
    gn_persons_stretch(K, &y, (const double (*)[3])x.xyz, to); /* of the right shape: only the spine and the head stay */
    for (int j = 0; j < PELVIS + 1; j++) NEAR(gn_distance(to[j], y.xyz[j]), 0, 1e-9);
    y.known[3] = 0; /* elbow not annotated: upper arm and forearm keep the said length */
    gn_persons_stretch(K, &y, (const double (*)[3])x.xyz, to);
    NEAR(gn_distance(to[3], to[2]), gn_distance(x.xyz[3], x.xyz[2]), 1e-9);
    NEAR(gn_distance(to[4], to[3]), gn_distance(x.xyz[4], x.xyz[3]), 1e-9);
    memcpy(x.xyz[6], x.xyz[5], sizeof x.xyz[6]); /* no direction */
    gn_persons_stretch(K, &y, (const double (*)[3])x.xyz, to);
    assert_true(isnan(to[6][0]) && isnan(to[7][0]) && isfinite(to[5][0]));
}

static void test_thresholds(void **state) {
    (void)state;
    gn_person truth = stand(0, 4000, 0), said = truth;
    gn_people p = { .truths = 1, .saids = 1, .truth = &truth, .said = &said };
    for (int j = 0; j < J; j++) said.xyz[j][0] = 150;
    NEAR(score(&p, 1, GN_EVERYBODY, "pck_rel"), 100, 0);
    NEAR(score(&p, 1, GN_EVERYBODY, "auc_rel"), 100.0 * 30 / 31, 1e-9);
    NEAR(score(&p, 1, GN_EVERYBODY, "pck_abs"), 0, 0);    /* less than */
    NEAR(score(&p, 1, GN_EVERYBODY, "pck_root"), 100, 0); /* at most */
    for (int j = 0; j < J; j++) said.xyz[j][0] = 149.5;
    NEAR(score(&p, 1, GN_EVERYBODY, "pck_abs"), 100, 0);
    NEAR(score(&p, 1, GN_EVERYBODY, "auc_abs"), 100.0 / 31, 1e-9);
    said.xyz[PELVIS][0] = 150.5;
    NEAR(score(&p, 1, GN_EVERYBODY, "pck_root"), 0, 0);
    NEAR(score(&p, 1, GN_EVERYBODY, "mrpe_x_mm"), 150.5, 1e-9);
}

static void test_order(void **state) {
    (void)state;
    gn_person truth[2] = { stand(0, 4000, 0), stand(0, 4299, 500) }, said[2] = { truth[0], truth[1] };
    gn_people p = { .truths = 2, .saids = 2, .truth = truth, .said = said };
    said[1].xyz[PELVIS][2] = 3701; /* both level, other sign */
    NEAR(score(&p, 1, GN_EVERYBODY, "pcod"), 100, 0);
    said[1].xyz[PELVIS][2] = 3700;
    NEAR(score(&p, 1, GN_EVERYBODY, "pcod"), 0, 0);
    said[1].xyz[PELVIS][2] = 4001; /* the right sign is enough */
    NEAR(score(&p, 1, GN_EVERYBODY, "pcod"), 100, 0);
    said[1].xyz[PELVIS][2] = NAN;
    NEAR(score(&p, 1, GN_EVERYBODY, "pcod"), 0, 0);
    p.saids = 1; /* the other is 100 m away: the right sign, as it happens */
    NEAR(score(&p, 1, GN_EVERYBODY, "pcod"), 100, 0);
    assert_true(isnan(score(&p, 1, GN_MATCHED, "pcod"))); /* no pair */
}

static void test_average_precision(void **state) {
    (void)state;
    gn_person truth[3] = { stand(0, 4000, 0), stand(1000, 4000, 500), stand(2000, 4000, 900) };
    gn_person said[4] = { truth[0], truth[1], truth[2], truth[0] };
    gn_people p = { .truths = 3, .saids = 4, .truth = truth, .said = said };
    said[0].score = 0.9, said[3].score = 0.8, said[1].score = 0.7, said[2].score = 0.7;
    /* right, its root is taken, right, right: the first's recall is not in the sum */
    NEAR(score(&p, 1, GN_EVERYBODY, "ap_root25"), 100 * (2.0 / 3 + 3.0 / 4) / 3, 1e-9);
    said[1].xyz[PELVIS][0] = 1250; /* not less than 250 mm */
    NEAR(score(&p, 1, GN_EVERYBODY, "ap_root25"), 100 * (2.0 / 4) / 3, 1e-9);
    said[2].score = NAN; /* last, still the fourth */
    NEAR(score(&p, 1, GN_EVERYBODY, "ap_root25"), 100 * (2.0 / 4) / 3, 1e-9);
    said[2].xyz[PELVIS][1] = NAN;
    NEAR(score(&p, 1, GN_EVERYBODY, "ap_root25"), 0, 0);
    truth[1].xyz[PELVIS][0] = 200, said[0].xyz[PELVIS][0] = said[3].xyz[PELVIS][0] = 90; /* another is free, but not the nearest */
    said[1].xyz[PELVIS][0] = 5000;
    NEAR(score(&p, 1, GN_EVERYBODY, "ap_root25"), 0, 0);
    gn_people two[2] = { p, { .saids = 4, .said = said } }; /* nobody there: not asked */
    said[1].xyz[PELVIS][0] = 1000;
    NEAR(score(two, 2, GN_EVERYBODY, "ap_root25"), score(&p, 1, GN_EVERYBODY, "ap_root25"), 0);
}

static void test_nan_never_wins(void **state) {
    (void)state;
    gn_person truth = stand(0, 4000, 0), said = truth;
    gn_people p = { .truths = 1, .saids = 1, .truth = &truth, .said = &said };
    for (int j = 0; j < J; j++) said.xyz[j][0] = NAN;
    gn_scores s = { .set = "nan" };
    OK(gn_persons_score(K, &p, 1, GN_MATCHED, arena, &s));
    for (int i = 0; i < s.n; i++) {
        const gn_score *c = &s.score[i];
        if (!strcmp(c->metric->name, "found") || !strncmp(c->metric->name, "mrpe_y", 6) || !strncmp(c->metric->name, "mrpe_z", 6)) continue;
        if (c->metric->less_is_better ? !isnan(c->value) : c->value != 0) fail_msg("%s = %g", c->metric->name, c->value);
    }
}

static void test_absent(void **state) {
    (void)state;
    gn_person truth = stand(0, 4000, 0), said = truth;
    gn_people p = { .truths = 1, .saids = 1, .truth = &truth, .said = &said };
    truth.known[4] = 0, truth.xyz[4][0] = NAN; /* not annotated: 13 joints are left, all right */
    NEAR(score(&p, 1, GN_EVERYBODY, "pck_abs"), 100, 0);
    NEAR(score(&p, 1, GN_EVERYBODY, "mpjpe_rel_mm"), 0, 1e-9);
    truth.known[PELVIS] = 0; /* no root: found, no more */
    NEAR(score(&p, 1, GN_EVERYBODY, "found"), 100, 0);
    assert_true(isnan(score(&p, 1, GN_EVERYBODY, "pck_rel")));
    assert_true(isnan(score(&p, 1, GN_EVERYBODY, "ap_root25")));
    gn_scores s = { .set = "empty" };
    OK(gn_persons_score(K, NULL, 0, GN_EVERYBODY, arena, &s));
    assert_int_equal(s.n, 0);
}

static void test_print(void **state) {
    (void)state;
    gn_person truth[2] = { stand(0, 4000, 0), stand(0, 5000, 500) };
    gn_people p = { .truths = 2, .saids = 2, .truth = truth, .said = truth };
    gn_scores s = { .set = "print" };
    char text[8192];
    FILE *to = fmemopen(text, sizeof text, "w");
    OK(gn_persons_score(K, &p, 1, GN_EVERYBODY, arena, &s));
    gn_scores_print(&s, 1, to);
    gn_protocols_print(&s, to);
    fclose(to);
    for (const char *at = text; *at; at += strcspn(at, "\n") + 1) assert_true(strcspn(at, "\n") <= 100);
    for (int i = 0; gn_person_metrics[i]; i++) assert_non_null(strstr(text, gn_person_metrics[i]->name));
    assert_non_null(strstr(text, "root: where poses are aligned, mpi17's pelvis\n"));
}

static void test_sequences_weigh_alike(void **state) {
    (void)state;
    gn_person truth = stand(0, 4000, 0), far = stand(0, 9000, 0);
    gn_people p[4] = { { 0, 1, 1, &truth, &truth }, { 2, 1, 1, &truth, &far }, { 2, 1, 1, &truth, &far }, { 2, 1, 1, &truth, &far } };
    NEAR(score(p, 4, GN_EVERYBODY, "pck_abs"), 50, 1e-9);  /* of sequences; the one without pictures is none */
    NEAR(score(p, 4, GN_EVERYBODY, "pck_root"), 25, 1e-9); /* of people */
    p[0].sequence = -1;
    gn_scores s = { .set = "wrong" };
    FAILS(gn_persons_score(K, p, 4, GN_EVERYBODY, arena, &s), BAD_DATA);
    FAILS(gn_persons_score(&gn_coco17, p, 4, GN_EVERYBODY, arena, &s), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "coco17 has no root"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),        cmocka_unit_test(test_match),
        cmocka_unit_test(test_stretch),       cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_order),         cmocka_unit_test(test_average_precision),
        cmocka_unit_test(test_nan_never_wins), cmocka_unit_test(test_absent),
        cmocka_unit_test(test_print),          cmocka_unit_test(test_sequences_weigh_alike),
    };
    return cmocka_run_group_tests(tests, open_arena, free_arena);
}
