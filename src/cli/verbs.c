/* verbs.c - every verb, once. */
#include "src/cli/verbs.h"

#define ROOT { "root", "DIR", "folder of the shards; data unless said" }
#define END { NULL, NULL, NULL }
static const cli_flag
    make_flags[] = { ROOT, { "motion", "DIR", "folder of BVH files that move the puppets" }, END },
    import_flags[] = { { "out", "DIR", "folder of the shards: train.h5, valid.h5" },
                       { "pictures", "DIR", "folder that the source's picture names are below" },
                       { "keep", "raw|jpeg|none", "pictures as crops of raw bytes, as JPEG crops, or labels alone; raw unless said" },
                       { "size", "N", "pixels of a crop's side; 256 unless said" },
                       { "every", "N", "of a take's frames, or of stills, one in N" },
                       { "skip-missing", NULL, "leave samples out whose picture is not there" },
                       { "seconds", "N", "the reading child's time; 86400 unless said" },
                       { "memory", "MB", "the reading child's memory; 16384 unless said" }, END },
    root_flags[] = { ROOT, END },
    check_flags[] = { { "resolved", NULL, "print the experiment with every default written out" }, END },
    train_flags[] = { { "resume", NULL, "go on with the newest unfinished run of this experiment, or start one" },
                      { "run", "DIR", "the run's folder" }, END },
    show_flags[] = { ROOT, { "valid", NULL, "of a set: its validation shard" }, { "out", "PATH", "where to; sheet.png unless said" },
                     { "columns", "N", "pictures a row" }, { "rows", "N", "rows" }, END },
    predict_flags[] = { { "out", "PATH", "where to; RUN/predictions unless said" }, { "box", "X,Y,W,H", "the person, pixels; the middle square unless said" },
                        { "count", "N", "of a set: samples; 8 unless said" },
                        { "sheet", "FILE.png", "of a set: one picture of that many, beside the truth; nothing else is written" }, ROOT, END },
    loader_flags[] = { { "threads", "N", "that read" }, { "mode", "raw|affine|jpeg", "as stored; augmented by the loader; decoded" }, END },
    profile_flags[] = { { "steps", "N", "timed; 5 unless said" }, END };

static const cli_verb all[] = {
    { "data", "make", "SET|EXPERIMENT [key=value ...]", "draws a set, an experiment's, or all: puppet", 1, 1, 1, make_flags, cli_data_make },
    { "data", "import", "FORMAT SOURCE --out DIR", "foreign files in, verified shards out", 2, 2, 0, import_flags, cli_data_import },
    { "data", "verify", "SHARD|SET ...", "hashes, pictures, ranges, bones, twins, views", 1, 100, 0, root_flags, cli_data_verify },
    { "data", "ls", "[SHARD|SET|FOLDER ...]", "what is here, and which losses it can feed", 0, 100, 0, root_flags, cli_data_ls },
    { "data", "show", "SHARD|SET", "a contact sheet of a shard", 1, 1, 0, show_flags, cli_data_show },
    { "check", NULL, "EXPERIMENT [key=value ...]", "binds losses to labels, plans memory", 1, 1, 1, check_flags, cli_check },
    { "train", NULL, "EXPERIMENT [key=value ...]", "trains through all stages", 1, 1, 1, train_flags, cli_train },
    { "eval", NULL, "RUN|CHECKPOINT [key=value ...]", "scores a run on its validation sets", 1, 1, 1, NULL, cli_eval },
    { "predict", NULL, "RUN|CHECKPOINT PICTURE|FOLDER|SET", "poses as JSON, and an overlay", 2, 2, 0, predict_flags, cli_predict },
    { "runs", "ls", "[FOLDER]", "runs, newest first", 0, 1, 0, NULL, cli_runs_ls },
    { "runs", "show", "RUN", "one run: state, stages, best", 1, 1, 0, NULL, cli_runs_show },
    { "report", NULL, "RUN", "one page: curves, tables, pictures", 1, 1, 0, NULL, cli_report },
    { "bench", "step", "[key=value ...]", "a training step beside this machine's ceilings", 0, 0, 1, NULL, cli_bench_step },
    { "bench", "op", "[key=value ...]", "the same step, node by node", 0, 0, 1, NULL, cli_bench_op },
    { "bench", "softargmax", "[key=value ...]", "volumes of 64^3 a joint to points and back, beside a copy", 0, 0, 1, NULL, cli_bench_softargmax },
    { "bench", "loader", "[SHARD]", "samples a second, beside a plain copy or turbojpeg alone", 0, 1, 0, loader_flags, cli_bench_loader },
    { "profile", NULL, "EXPERIMENT [key=value ...]", "a step, node by node, beside its floor", 1, 1, 1, profile_flags, cli_profile },
    { "describe", NULL, "[NAME]", "every option there is, or those of one thing", 0, 1, 0, NULL, cli_describe },
    { "doctor", NULL, "", "libraries, processor, memory, GPU", 0, 0, 0, NULL, cli_doctor },
    { .word = NULL },
};

const cli_verb *const cli_verbs = all;
