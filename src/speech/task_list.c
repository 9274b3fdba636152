/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/slot.h"

void task_list_init(struct task_list *list)
{
    *list = (struct task_list){.first = NULL, .last = &list->first};
}

void task_list_append(struct task_list *list, struct synth_task *task)
{
    task->next = NULL;
    *list->last = task;
    list->last = &task->next;
}

void task_list_prepend(struct task_list *list, struct synth_task *task)
{
    task->next = list->first;
    if (list->first == NULL)
        list->last = &task->next;
    list->first = task;
}

struct synth_task *task_list_pop(struct task_list *list)
{
    struct synth_task *task = list->first;

    if (task != NULL)
        task_list_remove(list, task);
    return task;
}

bool task_list_remove(struct task_list *list, struct synth_task *task)
{
    for (struct synth_task **at = &list->first; *at != NULL; at = &(*at)->next)
        if (*at == task) {
            *at = task->next;
            if (*at == NULL)
                list->last = at;
            return true;
        }
    return false;
}
