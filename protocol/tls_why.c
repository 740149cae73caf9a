/*
 * tls_why - OpenSSL's notes about a failure, told as one line.
 *
 * What the other end sent is quoted only as letters, digits and a few signs:
 * it may be anybody.
 *
 * SPDX-License-Identifier: ISC
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "protocol/tls_inside.h"

enum { NAMES_MAX = 200, NAME_MAX_SHOWN = 64, ALERT_BASE = 1000 };

static void
show_day(const ASN1_TIME *t, char out[32])
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1 ||
	    strftime(out, 32, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		snprintf(out, 32, "an unknown day");
}

/* Appends a name, with ", " before it if it is not the first. */
static void
put_name(char names[NAMES_MAX], const unsigned char *text, int len)
{
	size_t at = strlen(names);

	if (len <= 0 || len > NAME_MAX_SHOWN ||
	    at + (size_t)len + 3 > NAMES_MAX)
		return;
	if (at > 0) {
		memcpy(names + at, ", ", 3);
		at += 2;
	}
	for (int i = 0; i < len; i++) {
		unsigned char c = text[i];

		names[at++] = c > ' ' && c < 0x7f && c != '"' && c != '\\'
		    ? (char)c
		    : '?';
	}
	names[at] = '\0';
}

static void
put_address(char names[NAMES_MAX], const ASN1_OCTET_STRING *a)
{
	int family = ASN1_STRING_length(a) == 4 ? AF_INET : AF_INET6;
	char text[INET6_ADDRSTRLEN];

	if (ASN1_STRING_length(a) != 4 && ASN1_STRING_length(a) != 16)
		return;
	if (inet_ntop(family, ASN1_STRING_get0_data(a), text, sizeof text) !=
	    NULL)
		put_name(names, (unsigned char *)text, (int)strlen(text));
}

/* The names that a certificate is for; "" when it says none. */
static void
list_names(const X509 *cert, char names[NAMES_MAX])
{
	GENERAL_NAMES *all =
	    X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	char cn[NAME_MAX_SHOWN];

	names[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);

		if (g->type == GEN_DNS)
			put_name(names, ASN1_STRING_get0_data(g->d.dNSName),
			    ASN1_STRING_length(g->d.dNSName));
		else if (g->type == GEN_IPADD)
			put_address(names, g->d.iPAddress);
	}
	GENERAL_NAMES_free(all);
	if (names[0] == '\0' &&
	    X509_NAME_get_text_by_NID(
		X509_get_subject_name(cert), NID_commonName, cn, sizeof cn) > 0)
		put_name(names, (unsigned char *)cn, (int)strlen(cn));
}

static int
wrong_name(const X509 *cert, const char *wanted, struct err *e)
{
	char names[NAMES_MAX];

	list_names(cert, names);
	return err_set(e, EPERM,
	    "the server's certificate is for %s, not for %s",
	    names[0] != '\0' ? names : "nobody", wanted);
}

static int
unknown_signer(const X509 *cert, const char *whose, struct err *e)
{
	char cn[NAME_MAX_SHOWN], names[NAMES_MAX] = "";

	if (X509_NAME_get_text_by_NID(
		X509_get_issuer_name(cert), NID_commonName, cn, sizeof cn) > 0)
		put_name(names, (unsigned char *)cn, (int)strlen(cn));
	return err_set(e, EPERM,
	    "the %s's certificate is signed by an unknown CA (%s)", whose,
	    names[0] != '\0' ? names : "without a name");
}

/* cert is the one at fault: the other end's own, or one that signed it. */
static int
out_of_time(
    X509_STORE_CTX *store, const char *whose, bool expired, struct err *e)
{
	X509 *cert = X509_STORE_CTX_get_current_cert(store);
	bool own = X509_STORE_CTX_get_error_depth(store) == 0;
	char day[32] = "an unknown day";

	if (cert != NULL)
		show_day(expired ? X509_get0_notAfter(cert)
				 : X509_get0_notBefore(cert),
		    day);
	return err_set(e, EPERM, "the %s's certificate%s %s %s", whose,
	    own ? "" : " is signed by one that",
	    expired ? "expired on" : "is valid only from", day);
}

int
tls_judge(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
	    store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_judgement *j = ssl != NULL ? SSL_get_app_data(ssl) : NULL;
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	int fault = X509_STORE_CTX_get_error(store);

	if (good == 1 || j == NULL || cert == NULL)
		return good;
	switch (fault) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		out_of_time(store, j->whose,
		    fault == X509_V_ERR_CERT_HAS_EXPIRED, &j->why);
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		wrong_name(cert, j->wanted, &j->why);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		unknown_signer(cert, j->whose, &j->why);
		break;
	default:
		err_set(&j->why, EPERM, "the %s's certificate: %s", j->whose,
		    X509_verify_cert_error_string(fault));
		break;
	}
	return 0;
}

/* What the other end said before it hung up. */
static int
alert_why(int alert, const char *whose, struct err *e)
{
	switch (alert) {
	case SSL_AD_PROTOCOL_VERSION:
		return err_set(e, EPROTO,
		    "the %s speaks no version of TLS that we speak (1.2 and "
		    "later)",
		    whose);
	case SSL_AD_CERTIFICATE_REQUIRED:
		return err_set(e, EPERM,
		    "the %s asks for a certificate and got none", whose);
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_ACCESS_DENIED:
		return err_set(e, EPERM,
		    "the %s does not accept our certificate: %s", whose,
		    SSL_alert_desc_string_long(alert));
	default:
		return err_set(e, EPROTO, "the %s ends the TLS handshake: %s",
		    whose, SSL_alert_desc_string_long(alert));
	}
}

int
tls_why(const struct tls_judgement *j, struct err *e)
{
	const char *whose = j->whose;
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);

	if (ERR_GET_LIB(code) != ERR_LIB_SSL) {
		const char *text = ERR_reason_error_string(code);

		return err_set(e, EPROTO, "TLS: %s",
		    text != NULL ? text : "an error without a name");
	}
	if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && j->why.code != 0) {
		if (e != NULL)
			*e = j->why;
		return -j->why.code;
	}
	switch (reason) {
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
		return err_set(e, EPERM, "the %s shows no certificate", whose);
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_WRONG_SSL_VERSION:
		return alert_why(SSL_AD_PROTOCOL_VERSION, whose, e);
	default:
		break;
	}
	if (reason >= ALERT_BASE)
		return alert_why(reason - ALERT_BASE, whose, e);
	const char *text = ERR_reason_error_string(code);
	return err_set(e, EPROTO, "TLS with the %s: %s", whose,
	    text != NULL ? text : "an error without a name");
}
