/* SPDX-License-Identifier: Apache-2.0 */
#include "api/internal.h"

bool query_parse(struct exchange *exchange, struct query *ret_query)
{
    if (query_decode(exchange->query, ret_query))
        return true;
    reply_problem(
        exchange, PROBLEM_INVALID_PARAMETER,
        "the query string must be NAME=VALUE pairs joined by &, percent-encoded UTF-8 without control "
        "characters, at most %d of them, with names of up to %d bytes and values of up to %d",
        QUERY_PARAMETERS_MAX, QUERY_NAME_SIZE - 1, QUERY_VALUE_SIZE - 1);
    return false;
}

void query_fault(struct faults *faults, const struct query_parameter *parameter, const char *code,
                 const char *detail)
{
    char pointer[FAULT_POINTER_SIZE];

    fault_quote(parameter->name, pointer, sizeof pointer);
    fault_add(faults, code, pointer, "%s", detail);
}

bool query_is_empty(struct exchange *exchange)
{
    struct faults faults = {0};
    struct query query;

    if (!query_parse(exchange, &query))
        return false;
    for (size_t i = 0; i < query.count; i++)
        query_fault(&faults, &query.parameters[i], "unknown_parameter",
                    "is unknown; this call takes no parameters");
    if (faults.total > 0)
        reply_faults(exchange, PROBLEM_INVALID_PARAMETER, &faults);
    return faults.total == 0;
}
