/* test_dialect.c - formulas and losses are read by C++ as they are by C, in float without a double among
 * them: what a GPU's compiler will ask of them. Skips where there is no C++ compiler. */
#include "near.h"
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#define COMPILE                                                                                              \
    "c++ -std=c++17 -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wdouble-promotion -Werror " \
    "-I" GN_SOURCE "/include -I" GN_SOURCE "/kernels -DGN_REAL=%s -x c++ - 2>&1"

/* Every loss called, so that its functions have the signatures that loops rely on. */
static const char use[] =
    "#include \"gnomon/loss.h\"\n"
    "#define GN_LOSS(name, OPTIONS, help, reads, least, views, needs) \\\n"
    "  gn_real use_##name(const name##_options *o, const gn_group *g, gn_pull *p) { \\\n"
    "    return name##_terms(g) && name##_offers(o, g, 0) ? name##_term(o, g, 0, p) : GN_R(0); }\n"
    "#include \"loss/all.h\"\n";

static void check(const char *real, const char *what, const char *text) {
    char command[2048];
    snprintf(command, sizeof command, COMPILE, real);
    FILE *to = popen(command, "w");
    assert_non_null(to);
    fputs(text, to);
    if (pclose(to)) fail_msg("%s is not C++ with GN_REAL=%s", what, real);
}

static void formulas(void **state) {
    (void)state;
    if (system("c++ --version > /dev/null 2>&1")) skip();
    glob_t found;
    assert_int_equal(glob(GN_SOURCE "/kernels/formula/*.h", 0, NULL, &found), 0);
    char all[8192] = "";
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *name = strrchr(found.gl_pathv[i], '/') + 1;
        size_t n = strlen(all);
        snprintf(all + n, sizeof all - n, "#include \"formula/%s\"\n", name);
    }
    globfree(&found);
    check("float", "kernels/formula", all);
    check("double", "kernels/formula", all);
}

static void losses(void **state) {
    (void)state;
    if (system("c++ --version > /dev/null 2>&1")) skip();
    check("float", "kernels/loss", use);
    check("double", "kernels/loss", use);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(formulas), cmocka_unit_test(losses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
