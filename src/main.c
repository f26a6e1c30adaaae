/* main.c - gnomon <verb> ... */
#include <stdio.h>

int main(void) {
    fprintf(stderr, "usage: gnomon <verb>\n");
    return 2;
}
