/* doctor.c - what this build stands on and what this machine offers. */
#include "src/cli/verbs.h"
#include "gnomon/version.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static void say(const char *what, const char *found) { printf("%-14s %s\n", what, found); }

static void cpu_name(char *name, size_t room) {
    char line[256];
    snprintf(name, room, "unknown");
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strncmp(line, "model name", 10) ? NULL : strchr(line, ':');
        if (!colon) continue;
        snprintf(name, room, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (f) fclose(f);
}

static void instructions(char *text, size_t room) {
    text[0] = 0;
#ifdef __x86_64__
#define HAS(name) if (__builtin_cpu_supports(name)) strncat(text, " " name, room - strlen(text) - 1)
    HAS("sse4.2");
    HAS("avx");
    HAS("avx2");
    HAS("fma");
    HAS("avx512f");
    HAS("avx512bw");
    HAS("avx512vnni");
    HAS("avx512bf16");
#undef HAS
#else
    snprintf(text, room, " not x86-64");
#endif
}

static void built_for(char *text, size_t room) {
    snprintf(text, room, "%s%s%s", sizeof(gn_real) == 4 ? "float" : "double",
#ifdef __AVX512F__
             ", AVX-512",
#elif defined __AVX2__
             ", AVX2",
#else
             ", baseline",
#endif
#ifdef __AVX512BF16__
             ", bf16"
#else
             ""
#endif
    );
}

static const char *nvcc(void) {
    static char found[4096];
    const char *path = getenv("PATH");
    if (!access("/usr/local/cuda/bin/nvcc", X_OK)) return "/usr/local/cuda/bin/nvcc";
    while (path && *path) {
        size_t n = strcspn(path, ":");
        snprintf(found, sizeof found, "%.*s/nvcc", (int)n, path);
        if (!access(found, X_OK)) return found;
        path += n + (path[n] == ':');
    }
    return "absent";
}

gn_status cli_doctor(const cli_command *c) {
    (void)c;
    char text[256];
    cli_version(stdout);
    built_for(text, sizeof text);
    say("built for", text);
    say("libyaml", gn_yaml_version());
    say("HDF5", gn_h5_version());
    say("jansson", gn_json_version());
    say("libpng", gn_png_version());
    say("libturbojpeg", gn_jpeg_version());
    say("xxHash", gn_hash_version());
#ifdef GN_ONEDNN
    say("oneDNN", gn_onednn_version());
#else
    say("oneDNN", "absent: reference loops compute");
#endif
    say("cuBLAS", gn_cublas_version());
    say("cuDNN", gn_cudnn_version());
    cpu_name(text, sizeof text);
    say("processor", text);
    instructions(text, sizeof text);
    say("instructions", text + (text[0] == ' '));
    printf("%-14s %d\n", "cores", gn_cores());
    struct sysinfo s;
    if (!sysinfo(&s))
        printf("%-14s %.1f GiB, %.1f free\n", "memory", (double)s.totalram * s.mem_unit / 0x1p30, (double)s.freeram * s.mem_unit / 0x1p30);
    struct statvfs disk;
    if (!statvfs(".", &disk)) printf("%-14s %.1f GiB free here\n", "disk", (double)disk.f_bavail * (double)disk.f_frsize / 0x1p30);
    say("nvcc", nvcc());
    say("GPU", access("/dev/nvidia0", F_OK) ? "absent" : "there");
    return GN_OK;
}
