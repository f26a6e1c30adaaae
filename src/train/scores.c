/* scores.c - scores as a person reads them. */
#include "gnomon/metric.h"
#include <math.h>
#include <string.h>

enum { ACROSS = 100, INDENT = 22 };

const gn_score *gn_score_find(const gn_scores *s, const char *metric) {
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->score[i].metric->name, metric)) return &s->score[i];
    return NULL;
}

double gn_score_ratio(const gn_score *s) {
    return s->metric->baseline && s->baseline > 0 ? s->value / s->baseline : (double)NAN;
}

int gn_score_beats(const gn_score *s) { return s->metric->less_is_better ? s->value < s->baseline : s->value > s->baseline; }

void gn_scores_print(const gn_scores *s, int titles, FILE *to) {
    const char *group = "";
    fprintf(to, "%-9s %-18s %11s %11s  %5s%s\n", "", "metric", "value", "constant", "ratio", titles ? "  is" : "");
    for (int i = 0; i < s->n; i++) {
        const gn_score *c = &s->score[i];
        const gn_metric *m = c->metric;
        fprintf(to, "%-9s %-18s %8.1f %-2s", strcmp(group, m->group) ? m->group : "", m->name, c->value, m->unit);
        group = m->group;
        if (isfinite(gn_score_ratio(c))) fprintf(to, " %8.1f %-2s  %5.2f", c->baseline, m->unit, gn_score_ratio(c));
        else if (titles) fprintf(to, "%19s", "");
        if (titles) fprintf(to, "  %s", m->title);
        fputc('\n', to);
    }
}

/* Words that do not fit begin a line below. */
static void wrap(FILE *to, int at, const char *text) {
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (at > INDENT && at + n > ACROSS) at = INDENT, fprintf(to, "\n%*s", INDENT, "");
        fprintf(to, "%.*s", n, text);
        at += n, text += n;
        if (*text == ' ') text++, at++, fputs(*text && at + (int)strcspn(text, " ") <= ACROSS ? " " : "", to);
    }
}

void gn_protocols_print(const gn_scores *s, FILE *to) {
    const gn_skeleton *k = s->skeleton;
    if (k->root >= 0) fprintf(to, "root: where poses are aligned, %s's %s\n", k->name, k->joint[k->root]);
    fprintf(to, "constant: the best answer that ignores the picture; beaten by a ratio below 1 in mm, above 1 in %%\n");
    for (int i = 0; i < s->n; i++) {
        const gn_metric *m = s->score[i].metric;
        char text[512];
        snprintf(text, sizeof text, "%s%s%s", m->protocol, m->baseline ? "; constant: " : "", m->baseline ? m->baseline : "");
        fprintf(to, "%-*s", INDENT, m->name);
        wrap(to, INDENT, text);
        fputc('\n', to);
    }
}
