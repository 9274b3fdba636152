/* SPDX-License-Identifier: Apache-2.0 */
/* The synthesizer's loop: frames in, frames out. */
#ifndef ENGINE_SERVE_H
#define ENGINE_SERVE_H

#include "engine/engine.h"

/*
 * Says READY on out, then answers each SPEAK of in until it ends.  0 at the end of in; -EPROTO for bytes
 * that are no SPEAK; -EIO after an answer FRAME_ENGINE_FAILED; else what reading or writing said.
 */
int engine_serve(struct engine *engine, int in, int out, struct error *err);

#endif
