/*
 * handler_env - the variables of one job: env: and env_pass:.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_HANDLER_ENV_H
#define CONFIG_HANDLER_ENV_H

#include "config/reader.h"
#include "config/settings.h"

enum { HANDLER_ENV_MAX = 1024 };

/* env: fills h->env and h->nenv, or complains. */
void handler_env_read(struct reader *r, const struct node *n, const char *name,
    struct handler *h);

/* env_pass:, a FIELD_OTHER decoder into a struct handler. */
void handler_env_pass(
    struct reader *r, const struct node *n, const char *name, void *handler);

/* Frees h->env and h->env_pass. */
void handler_env_clear(struct handler *h);

#endif
