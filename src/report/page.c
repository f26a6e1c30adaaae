/* page.c - the report as HTML: one file, nothing fetched, no script. */
#include "page.h"
#include <math.h>
#include <string.h>

static void text(FILE *to, const char *before, const char *what, const char *after) {
    fputs(before, to);
    gn_html_text(to, what);
    fputs(after, to);
}

static void head(FILE *to, const gn_page *p) {
    fputs("<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
          "<meta name='viewport' content='width=device-width,initial-scale=1'><link rel='icon' href='data:,'>", to);
    text(to, "<title>", p->title, "</title><style>");
    for (const char *const *s = gn_page_style; *s; s++) fputs(*s, to);
    fputs("</style></head>\n<body><main>\n", to);
    text(to, "<h1>", p->title, "</h1>");
    text(to, "<p class='sub'>", p->subtitle, "</p>\n");
}

static void facts(FILE *to, const gn_page *p) {
    fputs("<dl>", to);
    for (int i = 0; i < p->n_fact; i++) {
        text(to, "<dt>", p->fact[i].name, "</dt>");
        text(to, "<dd>", p->fact[i].text, "</dd>\n");
    }
    fputs("</dl>\n", to);
}

/* --- the headline: what decides whether a model is any good --- */

static void tiles(FILE *to, const gn_section *s) {
    static const char *const shown[] = { "pckh", "mpjpe_mm", "canonical_mpjpe_mm", "depth_mm", "depth_order" };
    fputs("<div class='tiles'>", to);
    for (int i = 0; i < (int)(sizeof shown / sizeof *shown); i++) {
        const gn_score *c = gn_score_find(&s->scores, shown[i]);
        if (!c) continue;
        fprintf(to, "<div class='tile'><b>%.1f %s</b><span>%s", c->value, c->metric->unit, c->metric->title);
        if (isfinite(gn_score_ratio(c)))
            fprintf(to, "<br><em class='%s'>%.2f</em> &times; the best constant answer&rsquo;s %.1f %s", gn_score_beats(c) ? "better" : "worse",
                    gn_score_ratio(c), c->baseline, c->metric->unit);
        fputs("</span></div>", to);
    }
    fputs("</div>\n", to);
}

static void metrics(FILE *to, const gn_scores *s) {
    const char *group = "";
    fputs("<h3>Metrics</h3><p class='sub'>Constant answer: the best one that is the same for every sample. Ratio: value over constant "
          "answer, <span class='better'>green</span> where the network is better.</p><div class='wide'><table><tr><th>metric"
          "<th class='n'>value<th class='n'>constant answer<th class='n'>ratio<th>protocol</tr>\n", to);
    for (int i = 0; i < s->n; i++) {
        const gn_score *c = &s->score[i];
        const gn_metric *m = c->metric;
        if (strcmp(group, m->group)) fprintf(to, "<tr class='group'><th colspan='5'>%s</tr>\n", group = m->group);
        fprintf(to, "<tr><td>%s<br><code>%s</code><td class='n'><b>%.1f</b> %s", m->title, m->name, c->value, m->unit);
        if (isfinite(gn_score_ratio(c)))
            fprintf(to, "<td class='n'>%.1f %s<td class='n %s'>%.2f", c->baseline, m->unit, gn_score_beats(c) ? "better" : "worse",
                    gn_score_ratio(c));
        else fputs("<td><td>", to);
        text(to, "<td class='why'>", m->protocol, "");
        if (m->baseline) text(to, "<br>constant answer: ", m->baseline, "");
        fputs("</tr>\n", to);
    }
    fputs("</table></div>\n", to);
}

static void bar(FILE *to, const gn_score *c, const double *joint, int j, double most) {
    if (!c || !isfinite(joint[j])) {
        fputs("<td><td>", to);
        return;
    }
    fprintf(to, "<td class='n'>%.1f<td><div class='track'><span class='bar' style='width:%.1f%%'></span></div>", joint[j],
            most > 0 ? 100 * fmin(joint[j] / most, 1) : 0);
}

static double most_of(const gn_score *c, int joints) {
    double most = 0;
    for (int j = 0; c && j < joints; j++) {
        if (isfinite(c->joint[j])) most = fmax(most, c->joint[j]);
        if (isfinite(c->joint_baseline[j])) most = fmax(most, c->joint_baseline[j]);
    }
    return most;
}

static void per_joint(FILE *to, const gn_scores *s) {
    const gn_score *hit = gn_score_find(s, "pckh"), *off = gn_score_find(s, "mpjpe_mm"), *depth = gn_score_find(s, "depth_mm");
    double most_off = most_of(off, s->skeleton->joints), most_depth = most_of(depth, s->skeleton->joints);
    if (!hit && !off) return;
    fputs("<h3>By joint</h3><div class='wide'><table><tr><th>joint", to);
    if (hit) fputs("<th colspan='2'>PCKh@0.5, %", to);
    if (off) fputs("<th colspan='2'>MPJPE, mm<th class='n'>of the mean pose", to);
    if (depth) fputs("<th colspan='2'>depth error, mm<th class='n'>of a constant", to);
    fputs("</tr>\n", to);
    for (int j = 0; j < s->skeleton->joints; j++) {
        text(to, "<tr><td><code>", s->skeleton->joint[j], "</code>");
        if (hit) bar(to, hit, hit->joint, j, 100);
        if (off) bar(to, off, off->joint, j, most_off);
        if (off) fprintf(to, isfinite(off->joint_baseline[j]) ? "<td class='n'>%.1f" : "<td>", off->joint_baseline[j]);
        if (depth) bar(to, depth, depth->joint, j, most_depth);
        if (depth) fprintf(to, isfinite(depth->joint_baseline[j]) ? "<td class='n'>%.1f" : "<td>", depth->joint_baseline[j]);
        fputs("</tr>\n", to);
    }
    fputs("</table></div>\n", to);
}

static void symmetry(FILE *to, const gn_scores *s) {
    static const char *const limb[] = { "upper arm", "lower arm", "upper leg", "lower leg" };
    static const char *const name[] = { "upper_arm_mm", "lower_arm_mm", "upper_leg_mm", "lower_leg_mm" };
    double most = 0;
    for (int l = 0; l < 4; l++) {
        const gn_score *c = gn_score_find(s, name[l]);
        if (c) most = fmax(most, c->value);
    }
    if (!(most > 0)) return;
    fputs("<h3>Symmetry of the limbs</h3><table class='narrow'><tr><th>limb<th class='n'>mean |left &minus; right|<th></tr>\n", to);
    for (int l = 0; l < 4; l++) {
        const gn_score *c = gn_score_find(s, name[l]);
        if (c)
            fprintf(to, "<tr><td>%s<td class='n'>%.1f mm<td><div class='track'><span class='bar' style='width:%.1f%%'>"
                        "</span></div></tr>\n", limb[l], c->value, 100 * c->value / most);
    }
    fputs("</table>\n", to);
}

/* --- samples --- */

static gn_status sample(FILE *to, gn_arena *a, const gn_skeleton *k, const gn_exhibit *x) {
    const gn_judged *t = x->judged;
    fputs("<div class='sample'><div class='panels'>", to);
    if (x->picture.rgb) GN_TRY(gn_svg_overlay(to, a, k, &x->picture, t->said.uv, t->uv, t->labelled2d, t->occluded));
    if (x->heat.rgb) {
        fputs("<img alt='heatmaps' src='", to);
        GN_TRY(gn_html_picture(to, a, &x->heat));
        fputs("'>", to);
    }
    const double (*said)[3] = t->said.has_xyz ? t->said.xyz : NULL, (*truth)[3] = t->has3d ? t->xyz : NULL;
    if (said || truth) {
        double reach = 0.6;
        for (int j = 0; j < k->joints; j++)
            for (int i = 0; i < 3; i++) {
                if (truth && t->labelled3d[j]) reach = fmax(reach, fabs(t->xyz[j][i]) * 1.1);
                if (said && isfinite(said[j][i])) reach = fmax(reach, fmin(fabs(said[j][i]) * 1.1, 2.5));
            }
        gn_svg_pose(to, k, said, truth, t->labelled3d, 0, reach, "front");
        gn_svg_pose(to, k, said, truth, t->labelled3d, 75, reach, "side");
    }
    text(to, "</div><p>", x->caption, "</p></div>\n");
    return GN_OK;
}

static gn_status section(FILE *to, gn_arena *a, const gn_section *s) {
    text(to, "<h2>", s->scores.set, "");
    fprintf(to, " <small>%lld held-out samples%s</small></h2>\n", (long long)s->scores.samples,
            s->scores.mirrored ? ", each asked with its mirror image" : "");
    if (s->about) text(to, "<p class='sub'>", s->about, "");
    if (s->licence) text(to, " &middot; licence: ", s->licence, "");
    fputs(s->about ? "</p>\n" : "", to);
    tiles(to, s);
    if (s->n_row)
        fputs("<p class='legend'><span class='left'>left</span><span class='right'>right</span>"
              "<span class='middle'>middle</span><span class='truth'>the truth</span></p><p class='sub'>Of each sample: ", to);
    if (s->n_row && s->row->shown->picture.rgb)
        fputs("the predicted 2D over the picture, the truth dashed in white, hollow where occluded; the last stack&rsquo;s heatmaps, coloured by side; ", to);
    if (s->n_row)
        fputs("the predicted 3D about the pelvis from the front and turned by 75&deg;, the truth pale behind it at the same scale.</p>", to);
    for (int r = 0; r < s->n_row; r++) {
        text(to, "<h3>", s->row[r].title, "</h3><div class='samples'>");
        for (int i = 0; i < s->row[r].n; i++) GN_TRY(sample(to, a, s->scores.skeleton, &s->row[r].shown[i]));
        fputs("</div>\n", to);
    }
    metrics(to, &s->scores);
    per_joint(to, &s->scores);
    symmetry(to, &s->scores);
    return GN_OK;
}

/* --- curves --- */

static const char *after_slash(const char *name) {
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* Series of training, apart from what belongs to the machine. */
static int is_loss(const char *name) {
    static const char *const other[] = { "rate", "gradient_norm", "ms", "data_ms", "stage_step" };
    if (strchr(name, '/')) return 0;
    for (int i = 0; i < (int)(sizeof other / sizeof *other); i++)
        if (!strcmp(name, other[i])) return 0;
    return 1;
}

static double level_of(const gn_page *p, const char *set, const char *metric) {
    for (int i = 0; i < p->n_section; i++) {
        const gn_score *c = strcmp(p->section[i].scores.set, set) ? NULL : gn_score_find(&p->section[i].scores, metric);
        if (c) return c->baseline;
    }
    return (double)NAN;
}

static gn_status curves(FILE *to, gn_arena *a, const gn_page *p) {
    const gn_records *r = p->records;
    gn_series *some;
    double *level;
    gn_chart c = { .title = "Training loss", .unit = "the weighted sum, and each before its weight", .n_span = r->n_span, .span = r->span, .log = 1 };
    GN_TAKE(some, a, r->n + 1);
    GN_TAKE(level, a, r->n + 1);
    for (int i = 0; i < r->n; i++)
        if (is_loss(r->series[i].name)) {
            const char *dot = strrchr(r->series[i].name, '.');
            some[c.n] = r->series[i];
            if (dot) some[c.n].name = dot + 1;
            c.n++;
        }
    c.series = some;
    fputs("<h2>Curves</h2><div class='charts'>", to);
    gn_svg_chart(to, &c);
    for (int m = 0; gn_metrics[m]; m++) {
        const gn_metric *k = gn_metrics[m];
        c = (gn_chart){ .title = k->title, .unit = k->unit, .series = some, .n_span = r->n_span, .span = r->span, .level = level };
        for (int i = 0; i < r->n; i++)
            if (strchr(r->series[i].name, '/') && !strcmp(after_slash(r->series[i].name), k->name)) {
                some[c.n] = r->series[i];
                GN_TAKE_TEXT(some[c.n].name, a, "%.*s", (int)strcspn(r->series[i].name, "/"), r->series[i].name);
                level[c.n] = level_of(p, some[c.n].name, k->name);
                c.n++;
            }
        if (c.n) gn_svg_chart(to, &c);
    }
    for (int i = 0; i < r->n; i++)
        if (!strcmp(r->series[i].name, "rate")) {
            c = (gn_chart){ .title = "Learning rate", .unit = "", .n = 1, .series = &r->series[i], .n_span = r->n_span,
                            .span = r->span, .log = 1 };
            gn_svg_chart(to, &c);
        }
    fputs("</div>\n", to);
    return GN_OK;
}

gn_status gn_page_write(FILE *to, gn_arena *a, const gn_page *p) {
    head(to, p);
    facts(to, p);
    for (int i = 0; i < p->n_section; i++) GN_TRY(section(to, a, &p->section[i]));
    if (p->records) GN_TRY(curves(to, a, p));
    if (p->experiment) text(to, "<h2>Experiment</h2><details><summary>the resolved file</summary><pre>", p->experiment, "</pre></details>\n");
    fputs("</main></body></html>\n", to);
    return GN_OK;
}
