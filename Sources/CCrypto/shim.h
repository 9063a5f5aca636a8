// What the auth layer needs of OpenSSL's libcrypto: RSA signatures, digests, a certificate's fingerprint. libcrypto
// spreads each over half a dozen calls and macros that Swift cannot see; each is one call here. No call leaves anything
// in the thread's error queue, where it would confuse libcurl.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

// Instead of libcrypto's own, which asks for the passphrase at the terminal.
static inline int gw_crypto_no_passphrase(char *buffer, int size, int writing, void *user) {
    (void)buffer, (void)size, (void)writing, (void)user;
    return -1;
}

// The first private key of a PEM text, or NULL where there is none that can be read without a passphrase.
static inline EVP_PKEY *gw_crypto_read_key(const void *pem, int length) {
    BIO *source = BIO_new_mem_buf(pem, length);
    if (!source) return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(source, NULL, gw_crypto_no_passphrase, NULL);
    BIO_free(source);
    ERR_clear_error();
    return key;
}

// The first certificate of a PEM text, or NULL.
static inline X509 *gw_crypto_read_certificate(const void *pem, int length) {
    BIO *source = BIO_new_mem_buf(pem, length);
    if (!source) return NULL;
    X509 *certificate = PEM_read_bio_X509(source, NULL, gw_crypto_no_passphrase, NULL);
    BIO_free(source);
    ERR_clear_error();
    return certificate;
}

static inline bool gw_crypto_is_rsa(const EVP_PKEY *key) { return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA; }

static inline bool gw_crypto_belongs(const X509 *certificate, const EVP_PKEY *key) {
    bool belongs = X509_check_private_key(certificate, key) == 1;
    ERR_clear_error();
    return belongs;
}

// The certificate's fingerprint into `out`, which has room for EVP_MAX_MD_SIZE bytes. The length, or 0.
static inline unsigned gw_crypto_fingerprint(const X509 *certificate, bool sha256, uint8_t *out) {
    unsigned length = 0;
    int good = X509_digest(certificate, sha256 ? EVP_sha256() : EVP_sha1(), out, &length);
    ERR_clear_error();
    return good == 1 ? length : 0;
}

static inline int gw_crypto_signature_size(const EVP_PKEY *key) { return EVP_PKEY_get_size(key); }

// Signs with SHA-256: PKCS #1 v1.5 (RS256), or PSS with a salt of the digest's size (PS256). `out` has room for
// gw_crypto_signature_size bytes. The length, or 0.
static inline size_t gw_crypto_sign(EVP_PKEY *key, bool pss, const void *text, size_t length, uint8_t *out,
                                    size_t capacity) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context) return 0;
    EVP_PKEY_CTX *parameters = NULL;
    bool good = EVP_DigestSignInit(context, &parameters, EVP_sha256(), NULL, key) == 1;
    if (good && pss) {
        good = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    good = good && EVP_DigestSign(context, out, &capacity, text, length) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good ? capacity : 0;
}
