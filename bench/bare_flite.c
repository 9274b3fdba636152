/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A baseline: bare flite in a loop, one utterance a line of a file, nothing written anywhere.
 *
 *     bare_flite VOICE PROCESSES FILE
 *
 * The processes share the lines; voices and text are loaded before the clock starts.  Prints the seconds from
 * the first line to the last, and the seconds of audio.
 */
#include <flite/flite.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINES_MAX 100000

cst_voice *register_cmu_us_kal16(const char *folder);
cst_voice *register_cmu_us_slt(const char *folder);

/* What the processes share. */
struct shared {
    atomic_int next_line;
    atomic_llong audio_ms;
};

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int read_lines(const char *path, char **lines)
{
    FILE *file = fopen(path, "re");
    size_t size = 0;
    int count = 0;

    if (file == NULL)
        return 0;
    while (count < LINES_MAX && getline(&lines[count], &size, file) > 0) {
        lines[count][strcspn(lines[count], "\n")] = '\0';
        count++;
        size = 0;
    }
    fclose(file);
    return count;
}

static void speak_lines(struct shared *shared, cst_voice *voice, char **lines, int count)
{
    int line;

    while ((line = atomic_fetch_add(&shared->next_line, 1)) < count) {
        cst_wave *wave = flite_text_to_wave(lines[line], voice);

        atomic_fetch_add(&shared->audio_ms, 1000LL * wave->num_samples / wave->sample_rate);
        delete_wave(wave);
    }
}

int main(int argc, char **argv)
{
    static char *lines[LINES_MAX];
    int processes = argc == 4 ? atoi(argv[2]) : 0;
    int count = processes > 0 ? read_lines(argv[3], lines) : 0;
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cst_voice *voice;
    double start;

    if (count == 0 || shared == MAP_FAILED) {
        fprintf(stderr, "usage: bare_flite kal16|slt PROCESSES FILE\n");
        return 64;
    }
    flite_init();
    voice = strcmp(argv[1], "slt") == 0 ? register_cmu_us_slt(NULL) : register_cmu_us_kal16(NULL);
    start = seconds_now();
    for (int i = 0; i < processes; i++) {
        if (fork() == 0) {
            speak_lines(shared, voice, lines, count);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        continue;
    printf("%.4f %.1f\n", seconds_now() - start, (double)shared->audio_ms / 1000);
    return 0;
}
