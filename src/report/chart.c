/* chart.c - lines over training steps, as SVG. Long series are drawn as means over bins as wide as a pixel or two. */
#include "draw.h"
#include <math.h>
#include <string.h>

enum { WIDTH = 520, HEIGHT = 260, LEFT = 56, RIGHT = 22, TOP = 18, BOTTOM = 42, BINS = 240 };

typedef struct { double x0, x1, y0, y1; int log; } frame;

static double across(const frame *f, double x) { return LEFT + (x - f->x0) / (f->x1 - f->x0) * (WIDTH - LEFT - RIGHT); }
static double down(const frame *f, double y) {
    double v = f->log ? log10(y) : y;
    return HEIGHT - BOTTOM - (v - f->y0) / (f->y1 - f->y0) * (HEIGHT - TOP - BOTTOM);
}

/* 1, 2 or 5 times a power of ten, so that about `count` of them fill the range */
static double step_of(double range, int count) {
    double raw = range / count, ten = pow(10, floor(log10(raw))), m = raw / ten;
    return ten * (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10);
}

static int frame_of(const gn_chart *c, frame *f) {
    double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
    for (int s = 0; s < c->n; s++)
        for (int i = 0; i < c->series[s].n; i++) {
            double x = c->series[s].x[i], y = c->series[s].y[i];
            if (!isfinite(x) || !isfinite(y)) continue;
            x0 = fmin(x0, x), x1 = fmax(x1, x), y0 = fmin(y0, y), y1 = fmax(y1, y);
        }
    if (!(x0 <= x1)) return 0;
    if (c->n_span) x0 = fmin(x0, c->span[0].from); /* all charts of a run begin where it does */
    if (x0 > 0 && x0 <= 0.01 * x1) x0 = 0;
    f->log = c->log && y0 > 0;
    for (int s = 0; s < c->n && c->level && !f->log; s++)
        if (isfinite(c->level[s])) y0 = fmin(y0, c->level[s]), y1 = fmax(y1, c->level[s]);
    if (x1 <= x0) x0 -= 1, x1 += 1;
    if (f->log) {
        y0 = log10(y0), y1 = log10(y1);
        double room = fmax(0.05, 0.04 * (y1 - y0));
        y0 -= room, y1 += room;
    } else {
        if (y0 > 0 && y0 < 0.6 * y1) y0 = 0;
        if (y1 <= y0) y0 -= fabs(y0) * 0.1 + 1e-12, y1 += fabs(y1) * 0.1 + 1e-12;
        double step = step_of(y1 - y0, 5);
        y0 = floor(y0 / step) * step, y1 = ceil(y1 / step) * step;
    }
    f->x0 = x0, f->x1 = x1, f->y0 = y0, f->y1 = y1;
    return 1;
}

static void mark_y(FILE *to, const frame *f, double y) {
    double v = down(f, y);
    fprintf(to, "<path class='grid' d='M%d %.1fH%d'/><text x='%d' y='%.1f' class='tick end'>%.6g</text>", LEFT, v,
            WIDTH - RIGHT, LEFT - 6, v + 4, y);
}

static void axes(FILE *to, const gn_chart *c, const frame *f) {
    if (f->log) {
        static const double part[] = { 1, 2, 5 };
        int parts = f->y1 - f->y0 > 3 ? 1 : 3;
        for (double e = floor(f->y0); e <= f->y1; e++)
            for (int k = 0; k < parts; k++) {
                double y = part[k] * pow(10, e);
                if (log10(y) >= f->y0 && log10(y) <= f->y1) mark_y(to, f, y);
            }
    } else {
        double step = step_of(f->y1 - f->y0, 5);
        for (int i = 0; f->y0 + i * step <= f->y1 + step * 1e-6; i++) {
            double y = f->y0 + i * step;
            mark_y(to, f, fabs(y) < step * 1e-6 ? 0 : y);
        }
    }
    double step = step_of(f->x1 - f->x0, 6);
    for (double x = ceil(f->x0 / step) * step; x <= f->x1 + step * 1e-6; x += step)
        fprintf(to, "<text x='%.1f' y='%d' class='tick mid'>%.10g</text>", across(f, x), HEIGHT - 24, x);
    fprintf(to, "<text x='%d' y='%d' class='tick mid'>training step</text>", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6);
    double free = 0; /* the end of the last label: one that would touch it goes below the line */
    for (int i = 0; i < c->n_span; i++) {
        double x = across(f, fmin(fmax(c->span[i].from, f->x0), f->x1));
        if (c->span[i].from > f->x1) continue;
        if (i) fprintf(to, "<path class='span' d='M%.1f %dV%d'/>", x, TOP, HEIGHT - BOTTOM);
        fprintf(to, "<text x='%.1f' y='%d' class='tick'>", x + 4, x + 4 < free ? TOP + 11 : TOP - 3);
        free = x + 10 + 6.5 * (double)strlen(c->span[i].name);
        gn_html_text(to, c->span[i].name);
        fputs("</text>", to);
    }
}

static void line(FILE *to, const frame *f, const gn_series *s, int colour) {
    double sum_x[BINS] = { 0 }, sum_y[BINS] = { 0 };
    int count[BINS] = { 0 }, drawn = 0, last = 0;
    for (int i = 0; i < s->n; i++) {
        if (!isfinite(s->x[i]) || !isfinite(s->y[i])) continue;
        int b = (int)fmin(BINS - 1, (s->x[i] - f->x0) / (f->x1 - f->x0) * BINS);
        sum_x[b] += s->x[i], sum_y[b] += s->y[i], count[b]++;
    }
    fprintf(to, "<path class='line c%d' d='", colour);
    for (int b = 0; b < BINS; b++) {
        if (!count[b]) continue;
        fprintf(to, "%s%.1f %.1f", drawn++ ? "L" : "M", across(f, sum_x[b] / count[b]), down(f, sum_y[b] / count[b]));
        last = b;
    }
    fputs("'/>", to);
    if (drawn)
        fprintf(to, "<circle class='dot c%d' cx='%.1f' cy='%.1f' r='3'/>", colour, across(f, sum_x[last] / count[last]),
                down(f, sum_y[last] / count[last]));
}

void gn_svg_chart(FILE *to, const gn_chart *c) {
    frame f;
    fputs("<figure class='chart'><figcaption>", to);
    gn_html_text(to, c->title);
    if (*c->unit) {
        fputs(" <small>", to);
        gn_html_text(to, c->unit);
        fputs("</small>", to);
    }
    fputs("</figcaption>", to);
    if (!frame_of(c, &f)) {
        fputs("<p class='none'>nothing recorded</p></figure>\n", to);
        return;
    }
    fprintf(to, "<svg viewBox='0 0 %d %d' role='img'>", WIDTH, HEIGHT);
    axes(to, c, &f);
    int levels = 0;
    for (int s = 0; s < c->n && c->level && !f.log; s++)
        if (isfinite(c->level[s]))
            fprintf(to, "<path class='base c%d' d='M%d %.1fH%d'/>", s % 8, LEFT, down(&f, c->level[s]), WIDTH - RIGHT), levels++;
    for (int s = 0; s < c->n; s++) line(to, &f, &c->series[s], s % 8);
    fputs("</svg><p class='legend'>", to);
    for (int s = 0; s < c->n; s++) {
        const gn_series *l = &c->series[s];
        fprintf(to, "<span class='c%d'>", s % 8);
        gn_html_text(to, l->name);
        if (l->n) fprintf(to, " <b>%.4g</b>", l->y[l->n - 1]);
        fputs("</span>", to);
    }
    if (levels) fputs("<small>dashed: the best constant answer</small>", to);
    fputs("</p></figure>\n", to);
}
