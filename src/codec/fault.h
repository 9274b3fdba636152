/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a request's members: a list, so that a client sees all of it at once. */
#ifndef CODEC_FAULT_H
#define CODEC_FAULT_H

#include <stddef.h>

/* A body of nothing but unknown members must not make an answer larger than itself. */
#define FAULTS_MAX 32

/* Names that a client made up are cut in what it is told. */
#define FAULT_POINTER_SIZE 160
#define FAULT_DETAIL_SIZE  320

struct fault {
    char pointer[FAULT_POINTER_SIZE]; /* JSON Pointer (RFC 6901) into the body, or a parameter's name */
    char detail[FAULT_DETAIL_SIZE];   /* what is wrong and what would be right */
    const char *code;                 /* static: "wrong_type" */
};

struct faults {
    size_t count; /* those that are kept */
    size_t total; /* those that there are */
    struct fault items[FAULTS_MAX];
};

/* Behind the last; past FAULTS_MAX it is only counted. */
void fault_add(struct faults *faults, const char *code, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Appends "/" and the name, escaped as RFC 6901 section 3 says, and cut with "…" where it is too long. */
void fault_pointer_append(char pointer[FAULT_POINTER_SIZE], const char *name);

/*
 * Copies UTF-8 for a person to read: control characters become spaces, and what does not fit is cut between
 * two characters and ends in "…".  size is at least 4.
 */
void fault_quote(const char *text, char *ret_text, size_t size);

#endif
