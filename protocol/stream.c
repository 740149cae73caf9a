/*
 * stream - a socket, with OpenSSL in front of it or not.
 *
 * OpenSSL reads and writes through a BIO of ours: it must not raise SIGPIPE,
 * and the first byte of the other end tells whether it speaks TLS at all.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/tls_inside.h"

/* The first byte of a TLS record: RFC 8446, 5.1. */
enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };

struct stream {
	int fd;
	struct tls *tls; /* held; NULL: plain text, and none of the rest */
	SSL *ssl;
	char *name; /* that the server must have; owned */
	struct tls_judgement judgement;
	int read_wants; /* of the last call that would have waited */
	int write_wants;
	bool shaken;     /* the handshake is done */
	bool broken;     /* no more calls into OpenSSL */
	bool heard;      /* the other end has said something */
	bool plain_peer; /* and it was no TLS */
	bool ended;      /* the other end has closed */
	int error;       /* errno of the last recv(2) or send(2) */
};

/* ---- the wire below OpenSSL ---------------------------------------------- */

static int
wire_read(BIO *b, char *out, int len)
{
	struct stream *s = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (len <= 0)
		return 0;
	ssize_t n = recv(s->fd, out, (size_t)len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(b);
	else if (n < 0)
		s->error = errno;
	else if (n == 0)
		s->ended = true;
	if (n > 0 && !s->heard) {
		s->heard = true;
		s->plain_peer =
		    out[0] != RECORD_HANDSHAKE && out[0] != RECORD_ALERT;
	}
	return (int)n;
}

static int
wire_write(BIO *b, const char *bytes, int len)
{
	struct stream *s = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (len <= 0)
		return 0;
	ssize_t n = send(s->fd, bytes, (size_t)len, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(b);
	else if (n < 0)
		s->error = errno;
	return (int)n;
}

static long
wire_control(BIO *b, int what, long number, void *ptr)
{
	(void)b;
	(void)number;
	(void)ptr;
	/* Nothing is kept here that would have to be flushed. */
	return what == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO *
make_wire(struct stream *s)
{
	BIO_METHOD *m = s->tls->wire;

	if (m == NULL) {
		m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream");
		if (m == NULL || BIO_meth_set_read(m, wire_read) != 1 ||
		    BIO_meth_set_write(m, wire_write) != 1 ||
		    BIO_meth_set_ctrl(m, wire_control) != 1) {
			BIO_meth_free(m);
			return NULL;
		}
		s->tls->wire = m;
	}
	BIO *b = BIO_new(m);
	if (b != NULL) {
		BIO_set_data(b, s);
		BIO_set_init(b, 1);
	}
	return b;
}

/* ---- birth ------------------------------------------------------------------ */

struct stream *
stream_plain(int fd, struct err *e)
{
	struct stream *s = calloc(1, sizeof *s);

	if (s == NULL) {
		err_set(e, ENOMEM, "out of memory");
		close(fd);
		return NULL;
	}
	s->fd = fd;
	s->read_wants = STREAM_READABLE;
	s->write_wants = STREAM_WRITABLE;
	s->shaken = true;
	return s;
}

static struct stream *
with_tls(int fd, struct tls *tls, struct err *e)
{
	struct stream *s = stream_plain(fd, e);

	if (s == NULL)
		return NULL;
	s->shaken = false;
	s->tls = tls_hold(tls);
	s->ssl = SSL_new(tls->ctx);
	BIO *wire = s->ssl != NULL ? make_wire(s) : NULL;
	if (wire == NULL) {
		err_set(e, ENOMEM, "out of memory");
		stream_close(s);
		return NULL;
	}
	SSL_set_bio(s->ssl, wire, wire);
	s->judgement.whose = tls->server ? "client" : "server";
	SSL_set_app_data(s->ssl, &s->judgement);
	return s;
}

/* The name that the certificate must have, and that the server is told. */
static int
set_name(struct stream *s, char *name)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(s->ssl);
	unsigned char address[sizeof(struct in6_addr)];
	char plain[256];

	/* A zone such as "%eth0" is ours alone. */
	snprintf(plain, sizeof plain, "%.*s", (int)strcspn(name, "%"), name);
	if (inet_pton(AF_INET, plain, address) == 1 ||
	    inet_pton(AF_INET6, plain, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(p, plain);
	X509_VERIFY_PARAM_set_hostflags(
	    p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (SSL_set1_host(s->ssl, name) != 1)
		return 0;
	return (int)SSL_set_tlsext_host_name(s->ssl, name);
}

struct stream *
stream_client(int fd, struct tls *tls, const char *host, struct err *e)
{
	struct stream *s = with_tls(fd, tls, e);

	if (s == NULL)
		return NULL;
	SSL_set_connect_state(s->ssl);
	s->name = strdup(tls->name != NULL ? tls->name : host);
	s->judgement.wanted = s->name;
	if (s->name == NULL || set_name(s, s->name) != 1) {
		ERR_clear_error();
		err_set(e, ENOMEM, "out of memory");
		stream_close(s);
		return NULL;
	}
	return s;
}

struct stream *
stream_server(int fd, struct tls *tls, struct err *e)
{
	struct stream *s = with_tls(fd, tls, e);

	if (s != NULL)
		SSL_set_accept_state(s->ssl);
	return s;
}

/* ---- talking ------------------------------------------------------------------ */

/* What became of a call that moved nothing: 0 at the end, else as callers do. */
static int
outcome(struct stream *s, int result, int *wants, struct err *e)
{
	int r;

	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*wants = STREAM_READABLE;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		*wants = STREAM_WRITABLE;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		s->ended = true;
		return 0;
	default:
		break;
	}
	s->broken = true;
	if (s->plain_peer)
		r = err_set(
		    e, EPROTO, "the %s does not speak TLS", s->judgement.whose);
	else if (s->error != 0)
		r = err_set(e, s->error, "%s", strerror(s->error));
	else if (s->ended)
		r = 0;
	else
		r = tls_why(&s->judgement, e);
	ERR_clear_error();
	return r;
}

int
stream_shake(struct stream *s, struct err *e)
{
	if (s->shaken)
		return 0;
	if (s->broken)
		return err_set(e, ENOTCONN, "the connection is lost");
	ERR_clear_error();
	int result = SSL_do_handshake(s->ssl);
	if (result == 1) {
		s->shaken = true;
		s->read_wants = STREAM_READABLE;
		s->write_wants = STREAM_WRITABLE;
		return 0;
	}
	int r = outcome(s, result, &s->read_wants, e);
	s->write_wants = s->read_wants;
	if (r == 0)
		r = err_set(e, ECONNRESET,
		    "the %s closed the connection during the TLS handshake",
		    s->judgement.whose);
	return r;
}

ssize_t
stream_read(struct stream *s, void *at, size_t room, struct err *e)
{
	size_t got = 0;

	if (s->ssl == NULL) {
		ssize_t n = recv(s->fd, at, room, 0);

		if (n >= 0)
			return n;
		if (errno == EAGAIN || errno == EINTR)
			return -EAGAIN;
		return err_set(e, errno, "%s", strerror(errno));
	}
	if (s->broken)
		return 0;
	ERR_clear_error();
	int result = SSL_read_ex(s->ssl, at, room, &got);
	if (result == 1) {
		s->read_wants = STREAM_READABLE;
		return (ssize_t)got;
	}
	return outcome(s, result, &s->read_wants, e);
}

ssize_t
stream_write(struct stream *s, const void *bytes, size_t len, struct err *e)
{
	size_t put = 0;

	if (s->ssl == NULL) {
		ssize_t n = send(s->fd, bytes, len, MSG_NOSIGNAL);

		if (n >= 0)
			return n;
		if (errno == EAGAIN || errno == EINTR)
			return -EAGAIN;
		return err_set(e, errno, "%s", strerror(errno));
	}
	if (s->broken)
		return err_set(e, EPIPE, "%s", strerror(EPIPE));
	ERR_clear_error();
	int result = SSL_write_ex(s->ssl, bytes, len, &put);
	if (result == 1) {
		s->write_wants = STREAM_WRITABLE;
		return (ssize_t)put;
	}
	int r = outcome(s, result, &s->write_wants, e);
	return r != 0 ? r : err_set(e, EPIPE, "%s", strerror(EPIPE));
}

bool
stream_pending(const struct stream *s)
{
	return s->ssl != NULL && !s->broken && SSL_has_pending(s->ssl) == 1;
}

int
stream_events(const struct stream *s, bool reading, bool writing)
{
	return (reading ? s->read_wants : 0) | (writing ? s->write_wants : 0);
}

bool
stream_is_plain_peer(const struct stream *s)
{
	return s->plain_peer;
}

bool
stream_heard_tls(const struct stream *s)
{
	return s->heard && !s->plain_peer;
}

int
stream_fd(const struct stream *s)
{
	return s->fd;
}

/* ---- death ---------------------------------------------------------------------- */

void
stream_bye(struct stream *s)
{
	if (s->ssl == NULL || s->broken || !s->shaken)
		return;
	s->broken = true;
	ERR_clear_error();
	(void)SSL_shutdown(s->ssl);
	ERR_clear_error();
}

void
stream_close(struct stream *s)
{
	if (s == NULL)
		return;
	stream_bye(s);
	SSL_free(s->ssl);
	tls_drop(s->tls);
	close(s->fd);
	free(s->name);
	free(s);
}
