/* SPDX-License-Identifier: Apache-2.0 */
/* The settings that hold and where they come from, and whether all is right with them. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "codec/json_write.h"
#include "config/value_format.h"
#include "ctl/doctor.h"
#include "ctl/show.h"

/* ---- show ---- */

static void append_setting_json(struct buf *text, const struct setting *setting, struct settings *settings,
                                int line)
{
    cleanup(buf_release) struct buf value = BUF_INIT(CTL_OUTPUT_MAX);
    int64_t number = 0;
    const char *unit = setting_unit(setting, settings, &number);

    setting_format(setting, settings, &value);
    json_item(text);
    buf_append_str(text, "{");
    json_member_string(text, "name", setting->name);
    json_member_string(text, "value", buf_str(&value));
    json_member_int_if(text, "number", unit != NULL, number);
    json_member_string(text, "unit", unit);
    json_member_string(text, "source", line != 0 ? "file" : "default");
    json_member_int_if(text, "line", line != 0, line);
    buf_append_str(text, "}");
}

static void append_setting_text(struct buf *text, const struct setting *setting, struct settings *settings,
                                int line)
{
    cleanup(buf_release) struct buf value = BUF_INIT(CTL_OUTPUT_MAX), source = BUF_INIT(ERROR_TEXT_MAX);

    setting_format(setting, settings, &value);
    if (value.length == 0)
        buf_append_str(&value, "\"\"");
    if (line != 0)
        buf_printf(&source, "line %d", line);
    else
        buf_append_str(&source, "default");
    buf_printf(text, "\n%-24s  %-8s  ", setting->name, buf_str(&source));
    show_string(text, buf_str(&value));
    if (setting->unit != NULL)
        buf_printf(text, "  (%s)", setting->unit);
}

static int print_settings(const struct ctl *ctl, const char *file, struct settings *settings,
                          const struct settings_report *report)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);

    if (ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "file", file);
        json_name(&text, "settings");
        buf_append_str(&text, "[");
    } else {
        buf_printf(&text, "# %s\n%-24s  %-8s  %s", file != NULL ? file : "no file: the defaults", "SETTING",
                   "FROM", "VALUE");
    }
    for (size_t i = 0; i < settings_table_count; i++)
        (ctl->json ? append_setting_json : append_setting_text)(&text, &settings_table[i], settings,
                                                                report->lines[i]);
    if (ctl->json)
        buf_append_str(&text, "]}");
    return ctl_print(ctl, &text);
}

int ctl_config_show(struct ctl *ctl, int argc, char **argv)
{
    static const struct program_option options[] = {{NULL}};
    cleanup(settings_report_release) struct settings_report report = {0};
    const char *file;
    struct error error;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);

    if (code != OPTIONS_RUN)
        return code;
    file = options_config_file(&ctl->options);
    if (settings_load_reporting(file, &ctl->options.settings, &report, &error) < 0)
        return ctl_fail(ctl, EX_CONFIG, "%s; 'sayhookctl config check' lists every fault", error.text);
    return print_settings(ctl, file, &ctl->options.settings, &report);
}

/* ---- check ---- */

static void append_note_text(struct buf *text, const char *file, const struct note *note)
{
    if (text->length > 0)
        buf_append_str(text, "\n");
    if (note->line != 0) {
        show_string(text, file);
        buf_printf(text, ":%d: ", note->line);
    } else if (note->verdict != VERDICT_FAULT) {
        buf_printf(text, "%s: ", verdict_name(note->verdict));
    }
    show_string(text, note->found);
    if (note->advice != NULL) {
        buf_append_str(text, "\n    ");
        show_string(text, note->advice);
    }
}

static int print_check(const struct doctor *doctor, const struct finding *finding)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    const char *file = doctor->config_file != NULL ? doctor->config_file : "the defaults";
    bool is_right = finding_verdict(finding) != VERDICT_FAULT;
    int code;

    if (doctor->ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "file", doctor->config_file);
        json_member_bool(&text, "ok", is_right);
        json_name(&text, "notes");
        buf_append_str(&text, "[");
    }
    for (size_t i = 0; i < finding->count; i++) {
        const struct note *note = &finding->notes[i];

        if (note->verdict == VERDICT_OK)
            continue;
        if (doctor->ctl->json)
            note_append_json(&text, note);
        else
            append_note_text(&text, file, note);
    }
    if (doctor->ctl->json)
        buf_append_str(&text, "]}");
    else if (is_right)
        buf_printf(&text, "%s%s: ok", text.length > 0 ? "\n" : "", file);
    code = ctl_print(doctor->ctl, &text);
    return code != 0 || is_right ? code : EX_CONFIG;
}

int ctl_config_check(struct ctl *ctl, int argc, char **argv)
{
    static const struct program_option options[] = {{NULL}};
    static void (*const needing_settings[])(struct doctor *, struct finding *) = {
        check_secret_key, check_configuration_owner, check_state_owners};
    struct doctor doctor = {.ctl = ctl};
    struct finding *finding;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);

    if (code != OPTIONS_RUN)
        return code;
    finding = calloc(1, sizeof *finding);
    if (finding == NULL)
        return ctl_fail(ctl, EX_OSERR, "out of memory");
    doctor.config_file = options_config_file(&ctl->options);
    check_configuration(&doctor, finding);
    if (doctor.settings != NULL) {
        doctor_find_owner(&doctor);
        for (size_t i = 0; i < array_length(needing_settings); i++)
            needing_settings[i](&doctor, finding);
    } else {
        check_configuration_owner(&doctor, finding);
    }
    code = print_check(&doctor, finding);
    finding_release(finding);
    free(finding);
    return code;
}
