/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/tls_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/cleanup.h"
#include "base/clock.h"

static void free_context(SSL_CTX **context)
{
    SSL_CTX_free(*context);
}

static void free_ssl(SSL **ssl)
{
    SSL_free(*ssl);
}

static void free_certificate(X509 **certificate)
{
    X509_free(*certificate);
}

static void free_bio(BIO **bio)
{
    BIO_free(*bio);
}

/* The reason of OpenSSL, or that of the system call which failed under it. */
static int fail(struct error *err, const char *what)
{
    int number = errno;
    unsigned long reason = ERR_peek_last_error();
    const char *text = reason != 0 ? ERR_reason_error_string(reason) : NULL;

    ERR_clear_error();
    if (text == NULL && number != 0)
        return error_set(err, -EPROTO, "%s: %s", what, strerrordesc_np(number));
    return error_set(err, -EPROTO, "%s: %s", what, text != NULL ? text : "the connection was closed");
}

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static void copy_name(const X509_NAME *name, char ret_text[TLS_PEER_NAME_SIZE])
{
    cleanup(free_bio) BIO *bio = BIO_new(BIO_s_mem());
    int length = 0;

    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
        length = BIO_read(bio, ret_text, TLS_PEER_NAME_SIZE - 1);
    ret_text[length > 0 ? length : 0] = '\0';
}

static int read_certificate(const SSL *ssl, struct tls_peer *ret_peer, struct error *err)
{
    cleanup(free_certificate) X509 *certificate = SSL_get1_peer_certificate(ssl);
    struct tls_peer peer = {.not_after = 0};
    struct tm end = {0};

    if (certificate == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
        return error_set(err, -EPROTO, "there is no certificate that can be read");
    peer.not_after = timegm(&end);
    snprintf(peer.version, sizeof peer.version, "%s", SSL_get_version(ssl));
    copy_name(X509_get_subject_name(certificate), peer.subject);
    copy_name(X509_get_issuer_name(certificate), peer.issuer);
    *ret_peer = peer;
    return 0;
}

/* Waits until the handshake can go on after it returned `result`. */
static int wait_for_peer(const SSL *ssl, int result, int64_t deadline, struct error *err)
{
    int64_t left = deadline - clock_monotonic_ms(&clock_system);
    struct pollfd fd = {.fd = SSL_get_fd(ssl)};

    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
        fd.events = POLLIN;
        break;
    case SSL_ERROR_WANT_WRITE:
        fd.events = POLLOUT;
        break;
    default:
        return fail(err, "no TLS connection");
    }
    if (left <= 0 || poll(&fd, 1, left < INT_MAX ? (int)left : INT_MAX) == 0)
        return error_set(err, -ETIMEDOUT, "no TLS connection in time");
    return 0;
}

static int shake_hands(SSL *ssl, int64_t deadline, struct error *err)
{
    int result, r = 0;

    do {
        errno = 0;
        result = SSL_connect(ssl);
        if (result != 1)
            r = wait_for_peer(ssl, result, deadline, err);
    } while (result != 1 && r == 0);
    return r;
}

int tls_peer_look(int fd, const char *host, int64_t deadline, struct tls_peer *ret_peer, struct error *err)
{
    cleanup(free_context) SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    cleanup(free_ssl) SSL *ssl = NULL;
    int r;

    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
        return error_set(err, -ENOMEM, "out of memory");
    /* To look at one that is not to be trusted is the point; nothing is sent to whoever it is. */
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    ssl = SSL_new(context);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 ||
        (!is_address(host) && SSL_set_tlsext_host_name(ssl, host) != 1))
        return error_set(err, -ENOMEM, "out of memory");
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        return error_system(err, errno, "cannot have a socket not block");
    r = shake_hands(ssl, deadline, err);
    return r == 0 ? read_certificate(ssl, ret_peer, err) : r;
}
