/* signals.c - TERM, INT and USR1 ask a run to end after its step; a second INT or TERM ends it at once. */
#include "session.h"
#include <signal.h>

static volatile sig_atomic_t caught;
static const struct { int signal; const char *name; } asked[] = { { SIGTERM, "SIGTERM" }, { SIGINT, "SIGINT" }, { SIGUSR1, "SIGUSR1" } };
enum { ASKED = sizeof asked / sizeof *asked };
static struct sigaction before[ASKED];
static int catching;

static void note(int signal_) {
    if (caught && signal_ != SIGUSR1) {
        signal(signal_, SIG_DFL);
        raise(signal_);
    }
    caught = signal_;
}

void gn_signals_catch(void) {
    struct sigaction a = { .sa_handler = note, .sa_flags = SA_RESTART };
    sigemptyset(&a.sa_mask);
    caught = 0;
    catching = 1;
    for (int i = 0; i < ASKED; i++) sigaction(asked[i].signal, &a, &before[i]);
}

void gn_signals_leave(void) {
    for (int i = 0; catching && i < ASKED; i++) sigaction(asked[i].signal, &before[i], NULL);
    catching = 0;
}

const char *gn_signal_caught(void) {
    for (int i = 0; i < ASKED; i++)
        if (caught == asked[i].signal) return asked[i].name;
    return NULL;
}
