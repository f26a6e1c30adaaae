/* write.c - values back to YAML by their rows, where each came from, and what there is to set. */
#include "gnomon/config.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Words that some reader, YAML 1.1 among them, takes for something other than a string. */
static int is_word(const char *text) {
    static const char *const taken[] = { "true", "false", "null", "on", "off", "yes", "no", "y", "n" };
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (!strcasecmp(text, taken[i])) return 0;
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-");
    return ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z')) && !text[n];
}

void gn_text_write(FILE *to, const char *text) {
    if (is_word(text)) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\') fprintf(to, "\\%c", *p);
        else if ((unsigned char)*p < 0x20 || *p == 0x7F) fprintf(to, "\\x%02x", (unsigned)*p);
        else fputc(*p, to);
    }
    fputc('"', to);
}

void gn_number_write(FILE *to, double x, int single) {
    if (!isfinite(x)) {
        fputs(isnan(x) ? ".nan" : x > 0 ? ".inf" : "-.inf", to);
        return;
    }
    char text[40];
    if (x == floor(x) && fabs(x) < 1e7) {
        fprintf(to, "%.0f", x);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (single ? strtof(text, NULL) == (float)x : strtod(text, NULL) == x) break;
    }
    fputs(text, to);
}

static const char *chosen(const gn_option *row, int place, int *length) {
    const char *p = row->text;
    for (; place > 0 && (p = strchr(p, '|')); place--) p++;
    if (!p) p = row->text;
    *length = (int)strcspn(p, "|");
    return p;
}

static void write_list(FILE *to, const gn_option *row, const void *at) {
    const gn_texts *texts = at;
    const gn_counts *counts = at;
    int n = row->kind == GN_KIND_TEXTS ? texts->n : counts->n;
    fputc('[', to);
    for (int i = 0; i < n; i++) {
        if (i) fputs(", ", to);
        if (row->kind == GN_KIND_TEXTS) gn_text_write(to, texts->item[i]);
        else fprintf(to, "%lld", (long long)counts->item[i]);
    }
    fputc(']', to);
}

static void write_scalar(FILE *to, const gn_option *row, const void *at) {
    int n;
    switch (row->kind) {
    case GN_KIND_INT: fprintf(to, "%d", *(const int *)at); break;
    case GN_KIND_COUNT: fprintf(to, "%lld", (long long)*(const int64_t *)at); break;
    case GN_KIND_NUMBER: gn_number_write(to, *(const double *)at, 0); break;
    case GN_KIND_REAL: gn_number_write(to, (double)*(const gn_real *)at, sizeof(gn_real) == sizeof(float)); break;
    case GN_KIND_FLAG: fputs(*(const int *)at ? "true" : "false", to); break;
    case GN_KIND_TEXT: gn_text_write(to, *(const char *const *)at); break;
    case GN_KIND_TEXTS: case GN_KIND_COUNTS: write_list(to, row, at); break;
    case GN_KIND_CHOICE: {
        const char *word = chosen(row, *(const int *)at, &n);
        fprintf(to, "%.*s", n, word);
        break;
    }
    default: break;
    }
}

static void write_picks(FILE *to, int n, const gn_pick *item, int indent) {
    for (int i = 0; i < n; i++) {
        const gn_option *rows = item[i].entry->options;
        int any = rows && rows->name;
        fprintf(to, "%*s%s:%s\n", indent, "", item[i].entry->name, any ? "" : " {}");
        if (any) gn_config_write(to, rows, item[i].options, indent + 2);
    }
}

void gn_config_write(FILE *to, const gn_option *rows, const void *values, int indent) {
    for (const gn_option *row = rows; row && row->name; row++) {
        const void *at = (const char *)values + row->offset;
        const gn_picks *many = at;
        const gn_yaml *tree = row->kind == GN_KIND_TREE ? *(const gn_yaml *const *)at : NULL;
        int skip = (row->kind == GN_KIND_PICK && !((const gn_pick *)at)->entry) ||
                   (row->kind == GN_KIND_TREE && (!tree || !tree->n));
        if (skip) continue;
        fprintf(to, "%*s%s:", indent, "", row->name);
        switch (row->kind) {
        case GN_KIND_SECTION: fputc('\n', to); gn_config_write(to, row->section, at, indent + 2); break;
        case GN_KIND_PICK: fputc('\n', to); write_picks(to, 1, at, indent + 2); break;
        case GN_KIND_PICKS: fputs(many->n ? "\n" : " {}\n", to); write_picks(to, many->n, many->item, indent + 2); break;
        case GN_KIND_TREE: fputc('\n', to); gn_yaml_write(to, tree, indent + 2); break;
        default: fputc(' ', to); write_scalar(to, row, at); fputc('\n', to);
        }
    }
}

static const gn_entry *entry_of(const gn_registry *r, const char *name) {
    for (int i = 0; i < r->n; i++)
        if (!strcmp(r->entry[i].name, name)) return &r->entry[i];
    return NULL;
}

static void leaf_origins(FILE *to, const gn_yaml *y, const char *path) {
    for (int i = 0; y && i < y->n; i++) {
        char below[256];
        snprintf(below, sizeof below, "%s.%s", path, y->child[i]->key);
        if (y->child[i]->kind == GN_YAML_MAP) leaf_origins(to, y->child[i], below);
        else fprintf(to, "%s: %s\n", below, gn_yaml_place(y->child[i]));
    }
}

static void origins(FILE *to, const gn_yaml *map, const gn_option *rows, const char *path) {
    for (const gn_option *row = rows; row && row->name; row++) {
        char below[256];
        snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", row->name);
        const gn_yaml *y = map ? gn_yaml_find(map, row->name) : NULL;
        if (row->kind == GN_KIND_SECTION) {
            origins(to, y, row->section, below);
        } else if (row->kind == GN_KIND_TREE) {
            leaf_origins(to, y, below);
        } else if ((row->kind == GN_KIND_PICK || row->kind == GN_KIND_PICKS) && y) {
            for (int i = 0; i < y->n; i++) {
                const gn_entry *e = entry_of(row->registry, y->child[i]->key);
                char picked[300];
                snprintf(picked, sizeof picked, "%s.%s", below, y->child[i]->key);
                fprintf(to, "%s: %s\n", picked, gn_yaml_place(y->child[i]));
                if (e) origins(to, y->child[i], e->options, picked);
            }
        } else fprintf(to, "%s: %s\n", below, y ? gn_yaml_place(y) : "default");
    }
}

void gn_config_origins(FILE *to, const gn_yaml *tree, const gn_option *rows) { origins(to, tree, rows, ""); }

static void describe_range(FILE *to, const gn_option *row) {
    static const char *const kind[] = { "whole number", "whole number", "number", "number", "true or false", "",
                                        "text", "list of texts", "list of whole numbers" };
    if (row->kind == GN_KIND_CHOICE) {
        fputs(row->text, to);
        return;
    }
    fputs(kind[row->kind], to);
    if (row->kind != GN_KIND_FLAG && (row->least != 0 || row->most != 0)) {
        fputs(row->kind == GN_KIND_COUNTS ? ", each " : ", ", to);
        gn_number_write(to, row->least, 0);
        fputs(" to ", to);
        gn_number_write(to, row->most, 0);
    }
}

void gn_config_describe(FILE *to, const gn_option *rows, int indent) {
    for (const gn_option *row = rows; row && row->name; row++) {
        if (row->kind == GN_KIND_SECTION) {
            fprintf(to, "%*s%s  %s\n", indent, "", row->name, row->help ? row->help : "");
            gn_config_describe(to, row->section, indent + 2);
        } else if (row->kind == GN_KIND_PICK || row->kind == GN_KIND_PICKS) {
            fprintf(to, "%*s%s  %s:", indent, "", row->name, row->help ? row->help : "");
            for (int i = 0; i < row->registry->n; i++) fprintf(to, " %s", row->registry->entry[i].name);
            fputc('\n', to);
        } else if (row->kind == GN_KIND_TREE) {
            fprintf(to, "%*s%s  %s\n", indent, "", row->name, row->help ? row->help : "");
        } else {
            union { int i; int64_t n; double x; gn_real r; const char *text; gn_texts texts; gn_counts counts; } any;
            gn_option one[2] = { *row, { 0, GN_KIND_INT, 0, 0, 0, 0, 0, 0, 0, 0 } };
            one[0].offset = 0;
            gn_config_default(one, &any);
            fprintf(to, "%*s%s = ", indent, "", row->name);
            write_scalar(to, one, &any);
            fputs("  (", to);
            describe_range(to, row);
            fprintf(to, ")  %s\n", row->help ? row->help : "");
        }
    }
}
