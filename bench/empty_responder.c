/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A baseline: a FastCGI responder that does nothing but answer, at the same kind of socket and with a thread
 * for each connection that nginx may keep.  What is left between it and the product is the product's own
 * work.
 *
 *     empty_responder SOCKET THREADS
 */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS_MAX 1024
#define BACKLOG     1024

static int listener;

static void *answer_requests(void *unused)
{
    static const char answer[] = "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{}\n";
    FCGX_Request request;
    char body[4096];

    (void)unused;
    FCGX_InitRequest(&request, listener, 0);
    while (FCGX_Accept_r(&request) == 0) {
        /* The body is taken, or the next request on this connection would find it. */
        while (FCGX_GetStr(body, sizeof body, request.in) > 0)
            continue;
        FCGX_PutStr(answer, sizeof answer - 1, request.out);
        FCGX_Finish_r(&request);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    int count = argc == 3 ? atoi(argv[2]) : 0;

    if (count < 1 || count > THREADS_MAX) {
        fprintf(stderr, "usage: empty_responder SOCKET THREADS\n");
        return 64;
    }
    umask(0); /* nginx may run as another user */
    FCGX_Init();
    listener = FCGX_OpenSocket(argv[1], BACKLOG);
    if (listener < 0)
        return 71;
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, answer_requests, NULL) != 0)
            return 71;
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
