/*
 * identity - a random wid, the host's name, our pid.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/identity.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

int
identity_make(struct identity *who, const struct url *url,
    struct credential *credential, char **labels, size_t nlabels, struct err *e)
{
	unsigned char id[IDENTITY_WID_HEX / 2];

	if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id)
		return err_set(e, errno, "getrandom: %s", strerror(errno));

	memset(who, 0, sizeof *who);
	for (size_t i = 0; i < sizeof id; i++)
		snprintf(who->wid + 2 * i, 3, "%02x", id[i]);
	if (gethostname(who->hostname, sizeof who->hostname - 1) < 0)
		snprintf(who->hostname, sizeof who->hostname, "localhost");
	who->pid = getpid();
	who->url = url;
	who->password = url->has_password ? url->password : NULL;
	who->credential = credential;
	url_show(url, who->shown);
	who->labels = labels;
	who->nlabels = nlabels;
	return 0;
}

const char *
identity_password(const struct identity *who)
{
	if (who->password != NULL || who->credential == NULL)
		return who->password;
	return credential_text(who->credential);
}
