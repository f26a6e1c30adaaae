/* record.c - what a run writes of itself: lines for people, metrics.jsonl and events for machines, status.json. */
#include "gnomon/hash.h"
#include "gnomon/json.h"
#include "gnomon/log.h"
#include "session.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 1 << 14, TAGS = 64, STATUS_EVERY = 10 }; /* seconds */

typedef struct { char at[LINE]; size_t n; } line;

static void add(line *l, const char *fmt, ...) GN_PRINTF(2, 3);
static void add(line *l, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int k = vsnprintf(l->at + l->n, LINE - l->n, fmt, args);
    va_end(args);
    l->n = k > 0 && l->n + (size_t)k < LINE ? l->n + (size_t)k : LINE - 1;
}

static void path_of(const gn_session *s, const char *name, char path[4096]) { snprintf(path, 4096, "%s/%s", s->folder, name); }

/* Steps after the checkpoint are taken again: their records would be there twice. */
static gn_status cut(gn_session *s, const char *path) {
    gn_arena *a = gn_arena_new("records");
    void *bytes;
    size_t n, kept = 0;
    gn_status status = gn_io_read(a, path, (size_t)1 << 32, &bytes, &n);
    char *text = bytes;
    while (!status && kept < n) {
        char *end = memchr(text + kept, '\n', n - kept);
        const char *step = strstr(text + kept, "\"step\":");
        if (!end || !step || step > end || strtoll(step + 7, NULL, 10) > s->at.step) break;
        kept = (size_t)(end - text) + 1;
    }
    if (!status && kept < n) status = gn_io_write(path, text, kept);
    gn_arena_free(a);
    return status;
}

gn_status gn_records_open(gn_session *s, int resumed) {
    char path[4096];
    path_of(s, "metrics.jsonl", path);
    if (resumed && gn_io_exists(path)) GN_TRY(cut(s, path));
    return gn_events_open(s->run, s->folder, s->at.step, resumed, &s->events);
}

static void duration(double seconds, char text[32]) {
    long t = seconds > 0 && seconds < 1e9 ? (long)(seconds + 0.5) : 0;
    snprintf(text, 32, "%ld:%02ld:%02ld", t / 3600, t / 60 % 60, t % 60);
}

static void say_step(gn_session *s) {
    line l = { .n = 0 };
    char left[32];
    duration(s->pace * (double)(s->steps - s->at.step), left);
    add(&l, "stage=%s step=%lld/%lld loss=%.4g eta=%s img_s=%.0f", s->name, (long long)s->at.step, (long long)s->steps, s->note.loss,
        left, s->pace > 0 ? s->shards * s->each / s->pace : 0); /* what a narrow terminal must show comes first */
    if (isfinite(s->at.best)) add(&l, " %s=%.4g", s->stage->train.best, s->at.best);
    for (int i = 0; i < s->n_loss && s->n_loss > 1; i++) add(&l, " %s=%.4g", s->loss[i].use->loss->name, s->loss[i].mean);
    add(&l, " lr=%.2e ms=%.1f data_ms=%.1f", s->note.rate, s->note.ms, s->note.data_ms);
    gn_progress((double)s->at.step / (double)s->steps, "%s", l.at);
}

static gn_status write_step(gn_session *s) {
    line l = { .n = 0 };
    const char *tag[TAGS] = { "train/loss", "train/rate", "train/gradient_norm", "train/img_s" };
    double value[TAGS] = { s->note.loss, s->note.rate, s->note.norm, 1e3 * s->shards * s->each / s->note.ms };
    char names[TAGS][64], path[4096];
    int n = 4;
    add(&l, "{\"kind\":\"step\",\"step\":%lld,\"stage\":\"%s\",\"stage_step\":%lld,\"loss\":%.9g,\"losses\":{", (long long)s->at.step,
        s->name, (long long)s->at.stage_step, s->note.loss);
    for (int i = 0; i < s->n_loss; i++) {
        add(&l, "%s\"%s\":%.9g", i ? "," : "", s->loss[i].use->loss->name, s->loss[i].mean);
        if (n == TAGS) continue;
        snprintf(names[n], sizeof names[n], "loss/%s", s->loss[i].use->loss->name);
        tag[n] = names[n];
        value[n++] = s->loss[i].mean;
    }
    add(&l, "},\"rate\":%.9g,\"gradient_norm\":%.9g,\"ms\":%.3f,\"data_ms\":%.3f}", s->note.rate, s->note.norm, s->note.ms, s->note.data_ms);
    path_of(s, "metrics.jsonl", path);
    GN_TRY(gn_io_append(path, l.at));
    return gn_events_put(s->events, s->at.step, n, tag, value);
}

gn_status gn_record_step(gn_session *s) {
    const int due = s->at.stage_step % s->stage->train.log_every == 0 || s->at.stage_step == s->stage->train.steps;
    if (due) GN_TRY(write_step(s));
    if (due || gn_log_live()) say_step(s);
    if (gn_seconds() - s->written < STATUS_EVERY) return GN_OK;
    return gn_record_status(s, "running", "");
}

static gn_status say_scores(const gn_session *s, const gn_scores *scores) {
    char *text = NULL, *rest = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to) GN_FAIL(NO_MEMORY, "out of memory: scores");
    gn_scores_print(scores, 0, to);
    if (fclose(to)) GN_FAIL(NO_MEMORY, "out of memory: scores");
    gn_log("stage=%s step=%lld/%lld %s, %lld samples", s->name, (long long)s->at.step, (long long)s->steps, scores->set,
           (long long)scores->samples);
    for (char *row = strtok_r(text, "\n", &rest); row; row = strtok_r(NULL, "\n", &rest)) gn_log("%s", row);
    free(text);
    return GN_OK;
}

gn_status gn_record_scores(gn_session *s, const gn_scores *scores) {
    line l = { .n = 0 };
    const char *tag[TAGS];
    double value[TAGS];
    char names[TAGS][128], path[4096];
    int n = 0;
    add(&l, "{\"kind\":\"evaluation\",\"step\":%lld,\"stage\":\"%s\",\"set\":\"%s\",\"samples\":%lld,\"scores\":{", (long long)s->at.step,
        s->name, scores->set, (long long)scores->samples);
    for (int i = 0; i < scores->n; i++) {
        const gn_score *score = &scores->score[i];
        if (!isfinite(score->value)) continue;
        add(&l, "%s\"%s\":{\"value\":%.9g", n ? "," : "", score->metric->name, score->value);
        if (isfinite(score->baseline)) add(&l, ",\"baseline\":%.9g", score->baseline);
        add(&l, "}");
        if (n == TAGS) continue;
        snprintf(names[n], sizeof names[n], "valid/%s@%s", score->metric->name, scores->set);
        tag[n] = names[n];
        value[n++] = score->value;
    }
    add(&l, "}}");
    GN_TRY(say_scores(s, scores));
    path_of(s, "metrics.jsonl", path);
    GN_TRY(gn_io_append(path, l.at));
    return n ? gn_events_put(s->events, s->at.step, n, tag, value) : GN_OK;
}

gn_status gn_record_status(gn_session *s, const char *state, const char *reason) {
    gn_arena *a = gn_arena_new("status");
    char path[4096], now[32];
    struct tm t;
    time_t seconds = time(NULL);
    gmtime_r(&seconds, &t);
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &t);
    path_of(s, "status.json", path);
    const char *why = gn_json_quote(a, reason);
    const char *text = gn_arena_text(a, "{\"state\": \"%s\", \"step\": %lld, \"steps\": %lld, \"stage\": \"%s\", \"pid\": %d, \"heartbeat\": \"%s\", \"experiment\": \"%016llx\", \"reason\": %s}\n",
                                     state, (long long)s->at.step, (long long)s->steps, s->name ? s->name : "", (int)getpid(), now,
                                     (unsigned long long)s->at.experiment, why ? why : "\"\"");
    gn_status status = text ? gn_io_write(path, text, strlen(text)) : GN_NO_MEMORY;
    gn_arena_free(a);
    s->written = gn_seconds();
    return status;
}

static gn_status shards_of(gn_arena *a, const gn_experiment *e, const gn_texts *sets, int train, line *l) {
    for (int i = 0; i < sets->n; i++) {
        const gn_dataset *d = gn_dataset_find(sets->item[i]);
        if (!d) GN_FAIL(BAD_CONFIG, "data set '%s' is not known", sets->item[i]);
        const char *path, *file = train ? d->train : d->valid;
        gn_shard *shard;
        GN_TAKE_TEXT(path, a, "%s/%s", e->data.root, file);
        GN_TRY(gn_shard_open(a, path, &shard));
        line one = { .n = 0 };
        add(&one, "%s samples=%lld hash=%016llx\n", file, (long long)gn_shard_samples(shard), (unsigned long long)gn_shard_hash(shard));
        if (!strstr(l->at, one.at)) add(l, "%s", one.at);
    }
    return GN_OK;
}

static gn_status write_shards(gn_session *s) {
    line *l;
    gn_arena *a = gn_arena_new("shards");
    char path[4096];
    path_of(s, "shards.txt", path);
    gn_status status = (l = gn_arena_take(a, sizeof *l)) ? GN_OK : GN_NO_MEMORY;
    for (int k = 0; !status && k < s->e->n_stage; k++) {
        const gn_experiment *stage = &s->e->stage[k];
        status = shards_of(a, stage, &stage->data.train, 1, l);
        if (!status) status = shards_of(a, stage, &stage->data.valid, 0, l);
    }
    if (!status) status = gn_io_write(path, l->at, l->n);
    gn_arena_free(a);
    return status;
}

static gn_status write_build(gn_session *s) {
    line l = { .n = 0 };
    struct utsname u;
    char path[4096];
    uname(&u);
    add(&l, "gnomon 0.1\ncompiler %s\nnumbers %zu bytes\nsystem %s %s %s\ncores %d\nworkers %d\n", __VERSION__, sizeof(gn_real),
        u.sysname, u.release, u.machine, gn_cores(), gn_pool_workers(s->pool));
    path_of(s, "build.txt", path);
    return gn_io_write(path, l.at, l.n);
}

gn_status gn_record_origin(gn_session *s) {
    char path[4096];
    path_of(s, "origin.txt", path);
    GN_TRY(gn_experiment_origins(s->e, path));
    GN_TRY(write_build(s));
    GN_TRY(write_shards(s));
    path_of(s, "experiment.yaml", path);
    return gn_experiment_write(s->e, path);
}

void gn_record_end(gn_session *s, const char *reason) {
    char took[32];
    const double seconds = gn_seconds() - s->started;
    duration(seconds, took);
    gn_progress_end();
    gn_log("weights %016llx", (unsigned long long)gn_weights_hash(s->graph));
    if (s->best && isfinite(s->at.best))
        gn_log("best %s %.6g %s at step %lld: %s", s->stage->train.best, s->at.best, s->best->unit, (long long)s->at.best_step, s->best->protocol);
    else gn_log("best none: nothing was validated");
    gn_log("checkpoint %s/checkpoint/step_%08lld", s->folder, (long long)s->saved);
    gn_log("time %s", took);
    gn_log("throughput %.1f pictures/s", seconds > 0 ? (double)(s->fresh * s->shards * s->each) / seconds : 0);
    gn_log("exit %s", reason);
}
