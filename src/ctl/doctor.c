/* SPDX-License-Identifier: Apache-2.0 */
/* `doctor`: the table of checks, run one after the other. */
#include "ctl/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "codec/json_write.h"
#include "ctl/show.h"

/* At least one check has found a fault: not a failure of the command's, so none of sysexits.h. */
#define EXIT_FAULTS 1

static const struct check checks[] = {
    {"configuration", NEEDS_NOTHING, check_configuration},
    {"its owner", NEEDS_NOTHING, check_configuration_owner},
    {"secret key", NEEDS_SETTINGS, check_secret_key},
    {"state's owners", NEEDS_SETTINGS, check_state_owners},
    {"nginx's access", NEEDS_SETTINGS, check_nginx_access},
    {"nginx's site", NEEDS_SETTINGS, check_nginx_site},
    {"database", NEEDS_SETTINGS, check_database},
    {"SQLite", NEEDS_STORE, check_sqlite},
    {"secrets", NEEDS_STORE, check_secrets},
    {"file system", NEEDS_SETTINGS, check_file_system},
    {"sync", NEEDS_SETTINGS, check_sync},
    {"room", NEEDS_SETTINGS, check_room},
    {"voices", NEEDS_NOTHING, check_voices},
    {"formats", NEEDS_NOTHING, check_formats},
    {"API", NEEDS_SETTINGS, check_api},
    {"workers", NEEDS_STORE, check_workers},
    {"queue", NEEDS_STORE, check_queue},
    {"webhooks", NEEDS_STORE, check_webhooks},
    {"clock", NEEDS_NOTHING, check_clock},
    {"descriptors", NEEDS_SETTINGS, check_descriptors},
};

static void run(struct doctor *doctor, const struct check *check, struct finding *finding)
{
    if (check->need >= NEEDS_SETTINGS && doctor->settings == NULL) {
        finding_note(finding, VERDICT_SKIPPED, "it needs the configuration");
    } else if (check->need >= NEEDS_STORE && doctor->store == NULL) {
        finding_note(finding, VERDICT_SKIPPED, "it needs the database");
    } else {
        check->run(doctor, finding);
        if (check->run == check_configuration && doctor->settings != NULL)
            doctor_find_owner(doctor);
    }
}

/* ---- output ---- */

static void append_text(struct buf *out, const char *name, const struct finding *finding)
{
    for (size_t i = 0; i < finding->count; i++) {
        const struct note *note = &finding->notes[i];

        buf_printf(out, "%s%-8s  %-15s  ", out->length > 0 ? "\n" : "",
                   note->verdict == VERDICT_FAULT ? "FAULT" : verdict_name(note->verdict),
                   i == 0 ? name : "");
        if (note->line != 0)
            buf_printf(out, "line %d: ", note->line);
        show_string(out, note->found);
        if (note->advice != NULL) {
            buf_printf(out, "\n%-8s  %-15s  > ", "", "");
            show_string(out, note->advice);
        }
    }
}

static void append_json(struct buf *out, const char *name, const struct finding *finding)
{
    json_item(out);
    buf_append_str(out, "{");
    json_member_string(out, "name", name);
    json_member_string(out, "verdict", verdict_name(finding_verdict(finding)));
    json_name(out, "notes");
    buf_append_str(out, "[");
    for (size_t i = 0; i < finding->count; i++)
        note_append_json(out, &finding->notes[i]);
    buf_append_str(out, "]}");
}

static int print(const struct doctor *doctor, const struct finding *findings)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    enum verdict worst = VERDICT_OK;
    size_t counts[VERDICT_FAULT + 1] = {0};
    int code;

    if (doctor->ctl->json)
        buf_append_str(&text, "{\"checks\":[");
    for (size_t i = 0; i < array_length(checks); i++) {
        enum verdict verdict = finding_verdict(&findings[i]);

        counts[verdict]++;
        worst = verdict > worst ? verdict : worst;
        (doctor->ctl->json ? append_json : append_text)(&text, checks[i].name, &findings[i]);
    }
    if (doctor->ctl->json) {
        buf_append_str(&text, "]");
        json_member_string(&text, "verdict", verdict_name(worst));
        buf_append_str(&text, "}");
    } else {
        buf_printf(&text, "\n\nchecks: %zu ok, %zu skipped, %zu with warnings, %zu with faults",
                   counts[VERDICT_OK], counts[VERDICT_SKIPPED], counts[VERDICT_WARNING],
                   counts[VERDICT_FAULT]);
    }
    code = ctl_print(doctor->ctl, &text);
    return code == 0 && worst == VERDICT_FAULT ? EXIT_FAULTS : code;
}

/* Where nothing is installed, as in a build folder, the engine may lie beside this program. */
static void find_synth(char ret_path[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", ret_path, PATH_MAX - sizeof "sayhook-synth");
    char *slash;

    ret_path[length > 0 ? length : 0] = '\0';
    slash = strrchr(ret_path, '/');
    if (slash != NULL)
        memcpy(slash + 1, "sayhook-synth", sizeof "sayhook-synth");
    if (access(SYNTH_PROGRAM, X_OK) == 0 || slash == NULL || access(ret_path, X_OK) < 0)
        snprintf(ret_path, PATH_MAX, "%s", SYNTH_PROGRAM);
}

int ctl_doctor(struct ctl *ctl, int argc, char **argv)
{
    char synth[PATH_MAX];
    struct doctor doctor = {.ctl = ctl, .synth_program = synth};
    const struct program_option options[] = {
        {"synth", "PROGRAM", "the speech engine (" SYNTH_PROGRAM ")", &doctor.synth_program},
        {"nginx", "FILE", "nginx's configuration, where it is not the machine's", &doctor.nginx_config},
        {NULL},
    };
    struct finding *findings;
    char **arguments;
    int code;

    find_synth(synth);
    code = ctl_read(ctl, argc, argv, options, &arguments);
    if (code != OPTIONS_RUN)
        return code;
    findings = calloc(array_length(checks), sizeof *findings);
    if (findings == NULL)
        return ctl_fail(ctl, EX_OSERR, "out of memory");
    doctor.config_file = options_config_file(&ctl->options);
    for (size_t i = 0; i < array_length(checks); i++)
        run(&doctor, &checks[i], &findings[i]);
    store_close(doctor.store);
    code = print(&doctor, findings);
    for (size_t i = 0; i < array_length(checks); i++)
        finding_release(&findings[i]);
    free(findings);
    return code;
}
