/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that are served at present. */
#include <assert.h>

#include "worker/internal.h"

struct flow *flow_join(struct worker *worker, const struct job *job)
{
    struct flow *free_one = NULL;

    for (size_t i = 0; i < RUNS_MAX; i++) {
        struct flow *flow = &worker->flows[i];

        if (flow->runs > 0 && flow->key == job->key) {
            flow->runs++;
            return flow;
        }
        if (flow->runs == 0)
            free_one = flow;
    }
    assert(free_one != NULL);
    *free_one = (struct flow){
        .key = job->key,
        .runs = 1,
        .weight = job->weight > 0 ? job->weight : 1,
        .virtual_time = worker->virtual_time,
    };
    return free_one;
}

void flow_leave(struct flow *flow)
{
    assert(flow->runs > 0);
    flow->runs--;
}
