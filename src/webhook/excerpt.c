/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/excerpt.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "text/utf8.h"

/* C0, DEL and C1 (which terminals obey), and the two separators that end a line in some readers. */
static bool is_control(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0) || code_point == 0x2028 ||
           code_point == 0x2029;
}

/* Whether a sequence begins here that the end of the bytes may have cut. */
static bool may_be_cut(const char *bytes, size_t size)
{
    return size < UTF8_SEQUENCE_MAX && (unsigned char)bytes[0] >= 0xc2;
}

void excerpt_make(const char *bytes, size_t size, char *ret_text, size_t ret_size)
{
    size_t length = 0;

    while (size > 0) {
        uint32_t code_point = 0;
        size_t taken = utf8_decode(bytes, size, &code_point);
        const char *piece = bytes;
        size_t piece_size = taken;

        if (taken == 0 && may_be_cut(bytes, size))
            break;
        if (taken == 0) {
            taken = 1;
            piece = "\xef\xbf\xbd";
            piece_size = 3;
        } else if (is_control(code_point)) {
            piece = " ";
            piece_size = 1;
        }
        if (length + piece_size >= ret_size)
            break;
        memcpy(ret_text + length, piece, piece_size);
        length += piece_size;
        bytes += taken;
        size -= taken;
    }
    ret_text[length] = '\0';
}
