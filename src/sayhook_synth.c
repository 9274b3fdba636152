/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sayhook-synth: a speech engine as a program.
 *
 *     engine/engine.c     which voices there are, which requests are taken
 *     engine/english.c    a language, with its voices; language.c has the table
 *     engine/oromo.c      another, with rules of its own (oromo/)
 *     engine/utterance.c  one segment through flite; words.c: when its words are heard
 *     engine/serve.c      frames in on stdin, frames out on stdout (frame/, docs/ENGINES.md)
 *     engine/phones.c     --phones: what would be said, as text
 *     engine/sandbox.c    what is given up before the first text is read
 */
#include <errno.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "config/options.h"
#include "engine/engine.h"
#include "engine/phones.h"
#include "engine/sandbox.h"
#include "engine/serve.h"
#include "job/catalogue.h"

/* For the names of all languages in a message. */
#define LANGUAGE_NAMES_MAX 256

static const char *wants_phones, *wanted_language;

static const struct program_option program_options[] = {
    {"phones", NULL, "print the phones of the text on stdin, a token a line, and exit", &wants_phones},
    {"language", "LANGUAGE", "of that text, a name or a code (default: english)", &wanted_language},
    {NULL},
};

static const struct program_description program = {
    .name = "sayhook-synth",
    .options = program_options,
    .summary = "speaks segments of text for sayhook-worker, which starts it",
    /* Nothing in the configuration is for an engine so far, and one that has a fault stops the worker first.
     */
    .settings_later = true,
};

/* It ends with its input.  A signal to the whole service must not cut off what the worker still wants. */
static void ignore_signals(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGINT, &ignore, NULL);
    sigaction(SIGTERM, &ignore, NULL);
    sigaction(SIGHUP, &ignore, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static int refuse_language(const char *name, struct error *err)
{
    cleanup(buf_release) struct buf names = BUF_INIT(LANGUAGE_NAMES_MAX);
    size_t count;
    const struct language *languages = catalogue_languages(&count);

    for (size_t i = 0; i < count; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", languages[i].name);
    return error_set(err, -EINVAL, "there is no language '%s'; there are: %s", name, buf_str(&names));
}

/* --phones: of a text that whoever calls it has chosen, without the sandbox. */
static int print_phones(void)
{
    const char *name = wanted_language != NULL ? wanted_language : "english";
    const struct language *language = catalogue_find_language(name);
    struct error err = {.text = ""};
    int r;

    if (language == NULL)
        r = refuse_language(name, &err);
    else
        r = phones_print(language->name, stdin, stdout, &err);
    if (r < 0)
        log_error("%s", err.text);
    if (r == -EINVAL)
        return EX_USAGE;
    return r < 0 ? EX_IOERR : 0;
}

int main(int argc, char **argv)
{
    pid_t parent = getppid();
    cleanup(options_release) struct options options = {0};
    struct engine *engine = NULL;
    struct error err = {.text = ""};
    int code = options_parse(argc, argv, &program, &options);

    if (code != OPTIONS_RUN)
        return code;
    if (wants_phones != NULL)
        return print_phones();
    if (isatty(STDIN_FILENO)) {
        log_error("it speaks frames on stdin and stdout, and is started by sayhook-worker");
        return EX_USAGE;
    }
    ignore_signals();
    if (engine_new(&engine, &err) < 0 || sandbox_enter(parent, &err) < 0) {
        log_error("%s", err.text);
        return EX_OSERR;
    }
    /* From here on there is nobody to tell, and exit() would do what the sandbox forbids. */
    _exit(engine_serve(engine, STDIN_FILENO, STDOUT_FILENO, &err) == 0 ? 0 : EX_PROTOCOL);
}
