/* SPDX-License-Identifier: Apache-2.0 */
#include "job/job.h"

#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "job/catalogue.h"

Test(job, an_id_carries_its_number_and_is_never_the_same)
{
    char first[JOB_ID_SIZE], second[JOB_ID_SIZE];
    int64_t number = 0;

    job_id_make(1795507200000000, first);
    job_id_make(1795507200000000, second);
    cr_assert_eq(strlen(first), JOB_ID_LENGTH);
    cr_assert_str_neq(first, second);
    cr_assert(job_id_parse(first, &number));
    cr_assert_eq(number, 1795507200000000);
}

Test(job, what_is_no_id_is_refused)
{
    static const char *const wrong[] = {
        "",
        "job_",
        "job_short",
        "JOB_aaaaaaaaaaaaaaaaaaaaaaaaa00000000001",
        "job_aaaaaaaaaaaaaaaaaaaaaaaaa0000000000",
        "job_aaaaaaaaaaaaaaaaaaaaaaaaa000000000011",
        "job_aaaaaaaaaaaaaaaaaaaaaaaaA00000000001",
        "job_aaaaaaaaaaaaaa/../../aaaa00000000001",
        "job_aaaaaaaaaaaaaaaaaaaaaaaaa0000000000-",
    };
    int64_t number = 7;

    for (size_t i = 0; i < array_length(wrong); i++)
        cr_assert_not(job_id_parse(wrong[i], &number), "took %s", wrong[i]);
    cr_assert_eq(number, 7, "a failure leaves the output untouched");
}

Test(job, terminal_states_have_no_successor)
{
    for (int from = 0; from < JOB_STATUS_COUNT; from++)
        for (int to = 0; to < JOB_STATUS_COUNT; to++)
            if (job_status_is_terminal((enum job_status)from))
                cr_assert_not(job_transition_is_legal((enum job_status)from, (enum job_status)to));
    cr_assert(job_transition_is_legal(JOB_PENDING, JOB_PROCESSING));
    cr_assert(job_transition_is_legal(JOB_PROCESSING, JOB_PENDING), "a lost lease puts a job back");
    cr_assert_not(job_transition_is_legal(JOB_PENDING, JOB_COMPLETED));
}

Test(job, names_are_those_of_the_contract_and_parse_back)
{
    enum job_status status;
    enum audio_format format;

    for (int i = 0; i < JOB_STATUS_COUNT; i++)
        cr_assert(job_status_parse(job_status_name((enum job_status)i), &status) &&
                  status == (enum job_status)i);
    for (int i = 0; i < AUDIO_FORMAT_COUNT; i++)
        cr_assert(audio_format_parse(audio_format_name((enum audio_format)i), &format) &&
                  format == (enum audio_format)i);
    cr_assert_not(job_status_parse("Pending", &status));
    cr_assert_str_eq(event_type_name(job_terminal_event(JOB_CANCELLED)), "job.cancelled");
}

Test(job, files_spread_over_folders_by_the_random_part)
{
    char path[JOB_PATH_SIZE];

    job_file_path("job_x7aaaaaaaaaaaaaaaaaaaaaaa00000000001", "wav", path);
    cr_assert_str_eq(path, "x7/job_x7aaaaaaaaaaaaaaaaaaaaaaa00000000001.wav");
}

Test(job, progress_is_a_share_and_never_passes_one)
{
    struct job job = {.status = JOB_PROCESSING, .characters = 200, .spoken = 50};

    cr_assert_float_eq(job_progress(&job), 0.25, 1e-9);
    job.spoken = 300;
    cr_assert_float_eq(job_progress(&job), 1.0, 1e-9);
    job = (struct job){.status = JOB_COMPLETED, .characters = 200};
    cr_assert_float_eq(job_progress(&job), 1.0, 1e-9);
}

Test(catalogue, a_language_is_found_by_name_and_code_in_any_case)
{
    static const char *const names[] = {"english", "English", "en", "EN-us", "eng"};

    for (size_t i = 0; i < array_length(names); i++)
        cr_assert_str_eq(catalogue_find_language(names[i])->name, "english");
    cr_assert_null(catalogue_find_language("klingon"));
    cr_assert_null(catalogue_find_language(""));
}

Test(catalogue, the_default_voice_is_the_languages_first)
{
    const struct language *english = catalogue_find_language("en");

    cr_assert_str_eq(catalogue_find_voice(english, NULL)->id, "slt");
    cr_assert_str_eq(catalogue_find_voice(english, "kal16")->id, "kal16");
    cr_assert_null(catalogue_find_voice(english, "KAL16"));
    cr_assert_null(catalogue_find_voice(english, "../slt"));
}
