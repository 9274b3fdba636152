/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/nearest.h"
#include "crypto/secret.h"
#include "store/service.h"

/* The column at which the list's explanations start. */
#define SUMMARY_COLUMN 20

/* More than there are. */
#define COMMANDS_MAX 64

/* Whether the command's name is the word and another: "key create" is of "key". */
static bool is_of_group(const struct command *command, const char *word)
{
    size_t length = strlen(word);

    return strncmp(command->name, word, length) == 0 && command->name[length] == ' ';
}

/* group NULL: all. */
static void list_commands(const char *group)
{
    puts("Commands, each with a --help of its own:");
    for (const struct command *c = ctl_commands; c->name != NULL; c++)
        if (group == NULL || is_of_group(c, group))
            printf("  %-*s%s\n", SUMMARY_COLUMN, c->name, c->summary);
}

void ctl_list_commands(void)
{
    list_commands(NULL);
}

/* How many of the words make up the command's name; 0 where they differ. */
static int match(const struct command *command, int argc, char **argv)
{
    const char *name = command->name;
    int words = 0;

    while (words < argc) {
        size_t length = strcspn(name, " ");

        if (strlen(argv[words]) != length || strncmp(argv[words], name, length) != 0)
            return 0;
        words++;
        if (name[length] == '\0')
            return words;
        name += length + 1;
    }
    return 0;
}

/* "list, show, redeliver": what can follow the group's name; nothing where there is no such group. */
static void append_group(struct buf *out, const char *group)
{
    for (const struct command *c = ctl_commands; c->name != NULL; c++)
        if (is_of_group(c, group))
            buf_printf(out, "%s%s", out->length > 0 ? ", " : "", c->name + strlen(group) + 1);
}

/* The command that was meant, with both words or with the first alone; NULL where none is near. */
static const char *nearest_command(int argc, char **argv)
{
    const char *names[COMMANDS_MAX];
    char both[NEAREST_NAME_MAX + 1];
    const char *found = NULL;
    size_t count = 0;

    while (ctl_commands[count].name != NULL && count < COMMANDS_MAX) {
        names[count] = ctl_commands[count].name;
        count++;
    }
    if (argc > 1 && (size_t)snprintf(both, sizeof both, "%s %s", argv[0], argv[1]) < sizeof both)
        found = nearest_name(both, names, count);
    return found != NULL ? found : nearest_name(argv[0], names, count);
}

/* The first word may be right: then what it can be followed by is what helps. */
static int fail_unknown(const struct ctl *ctl, int argc, char **argv)
{
    cleanup(buf_release) struct buf group = BUF_INIT(ERROR_TEXT_MAX);
    const char *nearest = nearest_command(argc, argv);

    append_group(&group, argv[0]);
    if (group.length == 0 && nearest != NULL)
        return ctl_fail(ctl, EX_USAGE, "there is no command '%s'; did you mean '%s'?  See %s --help", argv[0],
                        nearest, ctl->program->name);
    if (group.length == 0)
        return ctl_fail(ctl, EX_USAGE, "there is no command '%s'; see %s --help", argv[0],
                        ctl->program->name);
    if (argc == 1)
        return ctl_fail(ctl, EX_USAGE, "'%s' is followed by one of: %s; see %s %s --help", argv[0],
                        buf_str(&group), ctl->program->name, argv[0]);
    if (strcmp(argv[1], "--help") == 0) {
        printf("Usage: %s %s COMMAND ...\n\n", ctl->program->name, argv[0]);
        list_commands(argv[0]);
        return 0;
    }
    return ctl_fail(ctl, EX_USAGE, "there is no command '%s %s'; '%s' is followed by one of: %s", argv[0],
                    argv[1], argv[0], buf_str(&group));
}

int ctl_run(struct ctl *ctl, int argc, char **argv)
{
    if (argc == 0)
        return ctl_fail(ctl, EX_USAGE, "which command?  See %s --help", ctl->program->name);
    for (ctl->command = ctl_commands; ctl->command->name != NULL; ctl->command++) {
        int words = match(ctl->command, argc, argv);

        if (words == 0)
            continue;
        /* The last word of its name stands where getopt expects the program's. */
        argv[words - 1] = ctl->invoked_as;
        return ctl->command->run(ctl, argc - words + 1, argv + words - 1);
    }
    return fail_unknown(ctl, argc, argv);
}

static void print_help(const struct ctl *ctl, const struct program_option *table)
{
    const struct command *command = ctl->command;

    printf("Usage: %s %s [OPTION]...%s%s\n%s.\n\nOptions:\n", ctl->program->name, command->name,
           command->arguments[0] != '\0' ? " " : "", command->arguments, command->summary);
    options_describe(table);
    if (command->details != NULL)
        printf("\n%s", command->details);
}

int ctl_read(struct ctl *ctl, int argc, char **argv, const struct program_option *own, char ***ret_arguments)
{
    struct program_option table[PROGRAM_OPTIONS_MAX + 1] = {0};
    const char *json = NULL, *help = NULL;
    size_t count = 0;
    int first, code;

    for (; own->name != NULL; own++)
        table[count++] = *own;
    table[count++] = (struct program_option){"json", NULL, "print JSON", &json};
    table[count++] =
        (struct program_option){"config", "FILE", "read settings from FILE", &ctl->options.config};
    table[count++] = (struct program_option){"help", NULL, "print this help and exit", &help};
    code = options_read(argc, argv, table, &first);
    if (code == 0 && help != NULL) {
        print_help(ctl, table);
        return 0;
    }
    if (code == 0 && argc - first != ctl->command->argument_count &&
        !(ctl->command->optional && argc == first))
        code = ctl_fail(ctl, EX_USAGE, "%s takes %s as its arguments", ctl->command->name,
                        ctl->command->argument_count > 0 ? ctl->command->arguments : "nothing");
    if (code != 0) {
        fprintf(stderr, "Try '%s %s --help'.\n", ctl->program->name, ctl->command->name);
        return code;
    }
    ctl->json = ctl->json || json != NULL;
    *ret_arguments = argv + first;
    return OPTIONS_RUN;
}

int ctl_load_settings(struct ctl *ctl)
{
    return ctl->options.settings.database != NULL ? 0 : options_load_settings(ctl->program, &ctl->options);
}

int ctl_open_store(struct ctl *ctl, struct store **ret_store)
{
    struct store_options options = {.clock = &clock_system};
    struct error error;
    int code = ctl_load_settings(ctl);
    int r;

    if (code != 0)
        return code;
    options.path = ctl->options.settings.database;
    options.limits = limits_of_settings(&ctl->options.settings);
    ctl->event_json = event_json_make(ctl->options.settings.public_base_url);
    options.renderer = &ctl->event_json.renderer;
    options.webhook_delay = settings_webhook_delay(&ctl->options.settings);
    if (ctl->options.secret_key.given) {
        sealer_init(&ctl->sealer, ctl->options.secret_key.bytes);
        options.sealer = &ctl->sealer;
    }
    r = store_open(&options, ret_store, &error);
    return r < 0 ? ctl_fail_error(ctl, r, &error) : 0;
}

int ctl_look_at_store(struct ctl *ctl, struct store **ret_store)
{
    struct store_options options = {.clock = &clock_system};
    struct error error;
    int version = 0;
    int code = ctl_load_settings(ctl);
    int r;

    if (code != 0)
        return code;
    options.path = ctl->options.settings.database;
    options.limits = limits_of_settings(&ctl->options.settings);
    r = store_look(&options, ret_store, &version, &error);
    if (r == STORE_CONFLICT)
        return ctl_fail(ctl, EX_CONFIG,
                        "%s has version %d, and this program knows %d; see 'sayhookctl doctor'", options.path,
                        version, store_version());
    return r < 0 ? ctl_fail(ctl, ctl_code_of(r), "%s; see 'sayhookctl doctor'", error.text) : 0;
}

int ctl_open_secrets(struct ctl *ctl, struct store **ret_store)
{
    struct store *store = NULL;
    struct error error;
    size_t count;
    int code = ctl_open_store(ctl, &store);
    int r;

    if (code != 0)
        return code;
    r = secrets_seal(store, &count, &error);
    if (r < 0) {
        store_close(store);
        if (!ctl->options.secret_key.given && geteuid() != 0)
            return ctl_fail(ctl, ctl_code_of(r), "%s; root may read that of the services", error.text);
        return ctl_fail_error(ctl, r, &error);
    }
    if (count > 0) {
        fprintf(stderr, "%s: webhook secrets that lay in plain text and are encrypted now: %zu\n",
                ctl->program->name, count);
        if (secrets_wipe(store, &error) < 0)
            fprintf(stderr, "%s: %s; a worker that starts removes it\n", ctl->program->name, error.text);
    }
    *ret_store = store;
    return 0;
}

void ctl_close_store(struct store **store)
{
    store_close(*store);
}

int ctl_fail(const struct ctl *ctl, int code, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", ctl->program->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}

int ctl_code_of(int r)
{
    static const struct {
        int number;
        int code;
    } codes[] = {
        {EINVAL, EX_DATAERR},
        {ENOENT, EX_NOINPUT},
        {EISDIR, EX_NOINPUT},
        {EFBIG, EX_DATAERR},
        {EACCES, EX_NOPERM},
        {EPERM, EX_NOPERM},
        {EROFS, EX_CANTCREAT},
        {EEXIST, EX_CANTCREAT},
        {EBUSY, EX_TEMPFAIL},
        {EAGAIN, EX_TEMPFAIL},
        {ETIMEDOUT, EX_TEMPFAIL},
        {ENOMEM, EX_OSERR},
        {ECONNREFUSED, EX_UNAVAILABLE},
        {EPROTO, EX_CONFIG},
        {EUCLEAN, EX_CONFIG},
    };
    int code = EX_IOERR;

    for (size_t i = 0; i < array_length(codes); i++)
        if (codes[i].number == -r)
            code = codes[i].code;
    return code;
}

/* What to do next about an error that does not say so itself; "" where that depends. */
static const char *next_step(int r)
{
    if ((r == -EACCES || r == -EPERM) && geteuid() != 0)
        return "; run this command as root";
    if (r == -ENOSPC)
        return "; 'sayhookctl doctor' shows the room on each disk";
    return "";
}

int ctl_fail_error(const struct ctl *ctl, int r, const struct error *error)
{
    return ctl_fail(ctl, ctl_code_of(r), "%s%s", error->text, next_step(r));
}

int ctl_fail_no_key(const struct ctl *ctl, const char *key_id)
{
    /* It must not get into a log. */
    if (strncmp(key_id, API_KEY_PREFIX, strlen(API_KEY_PREFIX)) == 0)
        return ctl_fail(ctl, EX_NOUSER,
                        "that is an API key, which is a secret; name it by its KEY_ID, as 'key list' does");
    return ctl_fail(ctl, EX_NOUSER, "there is no key %s; 'key list' shows them", key_id);
}

int ctl_print(const struct ctl *ctl, const struct buf *text)
{
    if (!buf_ok(text))
        return ctl_fail(ctl, EX_OSERR, "the output does not fit in memory");
    if (fwrite(buf_str(text), 1, text->length, stdout) != text->length || putchar('\n') == EOF ||
        fflush(stdout) != 0)
        return ctl_fail(ctl, EX_IOERR, "cannot write to stdout: %s", strerrordesc_np(errno));
    return 0;
}
