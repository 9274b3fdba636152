/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of sql/queries/ as an enum and a table, both made from the same generated list. */
#ifndef STORE_STATEMENTS_H
#define STORE_STATEMENTS_H

#include "db/db.h"

enum statement {
#define STATEMENT(name, sql) STATEMENT_##name,
#include "store/statements.inc"
#undef STATEMENT
    STATEMENT_COUNT
};

extern const struct db_statement store_statements[STATEMENT_COUNT];

#endif
