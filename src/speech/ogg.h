/* SPDX-License-Identifier: Apache-2.0 */
/* Ogg, RFC 3533: packets on pages, with one logical stream a file. */
#ifndef SPEECH_OGG_H
#define SPEECH_OGG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "speech/sink.h"

#define OGG_HEADER_SIZE  27
#define OGG_SEGMENTS_MAX 255
#define OGG_PAGE_MAX     (OGG_HEADER_SIZE + OGG_SEGMENTS_MAX + OGG_SEGMENTS_MAX * 255)

/*
 * A stream's serial number tells it from others that are mixed or chained with it, and is meant to be random.
 * Ours is the same in all files: the same request gives the same bytes.
 */
#define OGG_SERIAL UINT32_C(0x68796173) /* "sayh" */

/* A page that is being filled with whole packets. */
struct ogg_page {
    uint32_t number;
    size_t segments;
    size_t body_size;
    unsigned char lacing[OGG_SEGMENTS_MAX];
    unsigned char body[OGG_SEGMENTS_MAX * 255];
};

/* False where it has no room for the packet any more, of less than 64,770 bytes. */
bool ogg_page_add(struct ogg_page *page, const void *packet, size_t size);

/* Writes the page and begins the next one; granule is the position in samples at its end, of whatever rate.
 */
void ogg_page_write(struct ogg_page *page, struct sink *sink, int64_t granule, bool is_last);

/*
 * Gives a stream that comes in pieces of any size our serial number, on its way to the sink.  Starts zeroed.
 * libvorbis's pages have a random one from libsndfile.
 */
struct ogg_stamper {
    size_t used;
    unsigned char page[OGG_PAGE_MAX];
};
void ogg_stamp(struct ogg_stamper *stamper, struct sink *sink, const void *bytes, size_t size);

#endif
