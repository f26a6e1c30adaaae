/* html.c - text and pictures inside a page. */
#include "draw.h"

void gn_html_text(FILE *to, const char *text) {
    for (; *text; text++) {
        switch (*text) {
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '&': fputs("&amp;", to); break;
        case '"': fputs("&quot;", to); break;
        default: fputc((unsigned char)*text < ' ' && *text != '\n' ? ' ' : *text, to);
        }
    }
}

void gn_base64_write(FILE *to, const void *bytes, size_t n) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)b[i] << 16 | (i + 1 < n ? (unsigned)b[i + 1] << 8 : 0) | (i + 2 < n ? b[i + 2] : 0);
        char four[4] = { digit[v >> 18], digit[v >> 12 & 63], i + 1 < n ? digit[v >> 6 & 63] : '=',
                         i + 2 < n ? digit[v & 63] : '=' };
        fwrite(four, 1, 4, to);
    }
}

gn_status gn_html_picture(FILE *to, gn_arena *a, const gn_image *image) {
    void *png;
    size_t n;
    GN_TRY(gn_png_encode(a, image, &png, &n));
    fputs("data:image/png;base64,", to);
    gn_base64_write(to, png, n);
    return GN_OK;
}
