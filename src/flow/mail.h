/* mail.h: what a person reads of a mail (RFC 5322 with MIME, RFC 2045 to 2049): who wrote, about
 * what, and the text, whatever it was packed in. Attachments and mails within the mail are passed
 * over. */
#ifndef HEED_FLOW_MAIL_H
#define HEED_FLOW_MAIL_H

#include "base/buffer.h"

enum { HEED_MAIL_DEPTH = 10, HEED_MAIL_PARTS = 200 };

/* Plain text throughout (flow/html.h), NULL where the mail does not say. */
typedef struct heed_mail {
    char *from;    /* as it is written: "Ann Ax <ann@example.org>" */
    char *address; /* of it: "ann@example.org", lower case */
    char *subject;
    char *id;        /* Message-ID without < and > */
    char *thread;    /* the first of References, else In-Reply-To, else id */
    char *text;      /* the first text/plain part, else the first text/html */
    int64_t time_ms; /* Date; 0: not said */
    const heed_hooks *hooks;
} heed_mail;

/* 0, or HEED_ENOMEM; any bytes are a mail. */
int heed__mail_read(heed_mail *mail, const char *bytes, size_t size, const heed_hooks *hooks,
                    heed_error *err);
void heed__mail_free(heed_mail *mail); /* a zeroed one is fine */

#endif
