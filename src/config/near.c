/* near.c - the known word nearest to what was typed. */
#include "gnomon/config.h"
#include <string.h>

enum { LONGEST = 40 };

static int least(int a, int b) { return a < b ? a : b; }

/* Damerau-Levenshtein (optimal string alignment): insert, delete, replace, swap neighbours. */
static int distance(const char *a, int n, const char *b, int m) {
    int d[LONGEST + 1][LONGEST + 1];
    for (int i = 0; i <= n; i++) d[i][0] = i;
    for (int j = 0; j <= m; j++) d[0][j] = j;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++) {
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

const char *gn_nearest(const char *word, int n, const char *const *known) {
    size_t length = strlen(word);
    if (length > LONGEST) return NULL;
    int best = (int)length / 3 + 2; /* at least this far is not near */
    const char *near = NULL;
    for (int i = 0; i < n; i++) {
        size_t m = strlen(known[i]);
        if (m > LONGEST) continue;
        int d = distance(word, (int)length, known[i], (int)m);
        if (length > 2 && m > length && !strncmp(word, known[i], length) && d > 1) d = 1; /* "mpjpe" means "mpjpe_mm" */
        if (d < best && d < (int)m) {
            best = d;
            near = known[i];
        }
    }
    return near;
}
