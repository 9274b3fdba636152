/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key that encrypts webhook secrets: 32 raw bytes in the file that the setting secret_key_file names or,
 * where that is empty, in the credential `secret_key` of the service (systemd.exec(5), LoadCredential=) or,
 * where there is none, in the file that the service's unit makes the credential of, for those who may read
 * it: root, who runs sayhookctl.
 */
#ifndef CONFIG_SECRET_KEY_H
#define CONFIG_SECRET_KEY_H

#include <stdbool.h>

#include "base/error.h"

#define SECRET_KEY_SIZE         32
#define SECRET_KEY_CREDENTIAL   "secret_key"
#define SECRET_KEY_DEFAULT_FILE SAYHOOK_CONFIG_DIR "/secret_key"

struct secret_key {
    bool given; /* false: secrets stay in plain text */
    unsigned char bytes[SECRET_KEY_SIZE];
};

/*
 * file: the setting's value; "" is none.  -EINVAL where the file is none, is missing or unreadable, holds
 * anything but 32 bytes, or is open to others than its owner (a credential may be: systemd gives the service
 * its access by other means).
 */
int secret_key_read(const char *file, struct secret_key *ret_key, struct error *err);

/* Wipes it from memory. */
void secret_key_release(struct secret_key *key);

#endif
