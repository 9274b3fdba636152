/* SPDX-License-Identifier: Apache-2.0 */
/* A job's id: what is one makes a path of two parts, below the folder of downloads. */
#include "fuzz/fuzz.h"
#include "job/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    char path[JOB_PATH_SIZE];
    int64_t number;

    if (job_id_parse(text, &number)) {
        check(number >= 0);
        check(strlen(text) == JOB_ID_LENGTH);
        job_file_path(text, "wav", path);
        check(strspn(path, "_./0123456789abcdefghijklmnopqrstuvwxyz") == strlen(path));
        check(path[2] == '/' && strchr(path + 3, '/') == NULL && strstr(path, "..") == NULL);
    }
    free(text);
    return 0;
}
