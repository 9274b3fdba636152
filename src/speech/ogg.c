/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/ogg.h"

#include <pthread.h>
#include <string.h>

/* RFC 3533, section 6: where the fields of a page's header lie. */
#define FLAGS_AT    5
#define GRANULE_AT  6
#define SERIAL_AT   14
#define NUMBER_AT   18
#define CHECKSUM_AT 22
#define SEGMENTS_AT 26

#define FLAG_FIRST 2
#define FLAG_LAST  4

static uint32_t checksums[256];

/* The generator 0x04c11db7, most significant bit first, no inversion. */
static void make_checksums(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i << 24;

        for (int bit = 0; bit < 8; bit++)
            value = value << 1 ^ (value >> 31 != 0 ? UINT32_C(0x04c11db7) : 0);
        checksums[i] = value;
    }
}

static uint32_t add_checksum(uint32_t sum, const unsigned char *bytes, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_checksums);
    for (size_t i = 0; i < size; i++)
        sum = sum << 8 ^ checksums[sum >> 24 ^ bytes[i]];
    return sum;
}

bool ogg_page_add(struct ogg_page *page, const void *packet, size_t size)
{
    size_t needed = size / 255 + 1;

    if (page->segments + needed > OGG_SEGMENTS_MAX)
        return false;
    memset(page->lacing + page->segments, 255, needed - 1);
    page->segments += needed;
    page->lacing[page->segments - 1] = (unsigned char)(size % 255);
    memcpy(page->body + page->body_size, packet, size);
    page->body_size += size;
    return true;
}

void ogg_page_write(struct ogg_page *page, struct sink *sink, int64_t granule, bool is_last)
{
    unsigned char header[OGG_HEADER_SIZE] = "OggS";
    uint32_t sum;

    header[FLAGS_AT] = (unsigned char)((page->number == 0 ? FLAG_FIRST : 0) | (is_last ? FLAG_LAST : 0));
    put_little_endian(header + GRANULE_AT, (uint64_t)granule, 8);
    put_little_endian(header + SERIAL_AT, OGG_SERIAL, 4);
    put_little_endian(header + NUMBER_AT, page->number, 4);
    header[SEGMENTS_AT] = (unsigned char)page->segments;
    sum = add_checksum(0, header, sizeof header);
    sum = add_checksum(sum, page->lacing, page->segments);
    put_little_endian(header + CHECKSUM_AT, add_checksum(sum, page->body, page->body_size), 4);
    sink_write(sink, header, sizeof header);
    sink_write(sink, page->lacing, page->segments);
    sink_write(sink, page->body, page->body_size);
    page->number++;
    page->segments = 0;
    page->body_size = 0;
}

/* Bytes of the page in front, as far as its header tells already. */
static size_t page_size(const struct ogg_stamper *stamper)
{
    size_t size = OGG_HEADER_SIZE;

    if (stamper->used < size)
        return size;
    size += stamper->page[SEGMENTS_AT];
    if (stamper->used < size)
        return size;
    for (size_t i = OGG_HEADER_SIZE; i < OGG_HEADER_SIZE + (size_t)stamper->page[SEGMENTS_AT]; i++)
        size += stamper->page[i];
    return size;
}

static void write_stamped(struct ogg_stamper *stamper, struct sink *sink)
{
    put_little_endian(stamper->page + SERIAL_AT, OGG_SERIAL, 4);
    put_little_endian(stamper->page + CHECKSUM_AT, 0, 4);
    put_little_endian(stamper->page + CHECKSUM_AT, add_checksum(0, stamper->page, stamper->used), 4);
    sink_write(sink, stamper->page, stamper->used);
    stamper->used = 0;
}

void ogg_stamp(struct ogg_stamper *stamper, struct sink *sink, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    while (size > 0) {
        size_t wanted = page_size(stamper) - stamper->used;
        size_t taken = wanted < size ? wanted : size;

        memcpy(stamper->page + stamper->used, at, taken);
        stamper->used += taken;
        at += taken;
        size -= taken;
        if (stamper->used == page_size(stamper))
            write_stamped(stamper, sink);
    }
}
