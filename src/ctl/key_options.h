/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of an API key: its name, its weight and limits of its own, for `key create` and `key set`.
 */
#ifndef CTL_KEY_OPTIONS_H
#define CTL_KEY_OPTIONS_H

#include "ctl/ctl.h"

/* Reads the options of the command; those that were not given stay as *request has them.  OPTIONS_RUN, or the
 * exit code: EX_USAGE, too, where one must be given and none was. */
int key_options_read(struct ctl *ctl, int argc, char **argv, bool must_have_one, struct key_request *request,
                     char ***ret_arguments);

#endif
