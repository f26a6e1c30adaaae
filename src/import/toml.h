/* toml.h - the TOML that calibration files are written in, as a tree of JSON: tables, numbers, strings, flags, nested arrays. */
#ifndef GN_TOML_H
#define GN_TOML_H
#include "gnomon/json.h"

/* No dates, inline tables or arrays of tables. A repeated key or table or any other fault is GN_BAD_DATA: "WHAT:line: reason". */
gn_status gn_toml_parse(gn_arena *a, const char *what, const char *text, const gn_json **tree);
#endif
