/* Plain text out of what strangers write: HTML, character sets, mails. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/charset.h"
#include "flow/html.h"
#include "flow/mail.h"

static const struct {
    const char *html, *text;
} pages[] = {
    { "", "" },
    { "plain", "plain" },
    { "  a \t b\n c  ", "a b c" },
    { "<p>one</p><p>two</p>", "one\ntwo" },
    { "one<br>two<BR/>three<br />four", "one\ntwo\nthree\nfour" },
    { "a<b>b</b>c", "abc" },
    { "<td>a</td><td>b</td>", "a b" },
    { "<ul><li>a<li>b</ul>c", "a\nb\nc" },
    { "a<!-- no <b> -->b", "ab" },
    { "a<!-->b", "ab" },
    { "a<!doctype html>b<?php x ?>c", "abc" },
    { "a<script>if (1 < 2) alert('</b>')</script>b", "a b" },
    { "a<SCRIPT\n>x</ScRiPt >b", "a b" },
    { "a<script>never ends", "a" },
    { "a<style>p{}</style>b", "a b" },
    { "a<iframe src=x>fallback</iframe>b", "a b" },
    { "a<iframe>b", "a b" },
    { "a<svg><title>no</title><svg>x</svg>y</svg>b", "ab" },
    { "<img src=x onerror=\"alert('>')\">after", "after" },
    { "<a href='>'>link</a>", "link" },
    { "<a href=\">\">link</a>", "link" },
    { "<a title=it's>text</a>", "text" },
    { "<a href=\"never closed>text</a> more", "text more" },
    { "1 < 2 and 3 > 2", "1 < 2 and 3 > 2" },
    { "a <3 b", "a <3 b" },
    { "a <b", "a <b" },
    { "a <!-- never ends", "a <!-- never ends" },
    { "&lt;b&gt; &amp;amp; &quot;x&quot; &apos;", "<b> &amp; \"x\" '" },
    { "AT&T &unknown; &amp &copy 2024", "AT&T &unknown; & \xc2\xa9 2024" },
    { "&#65;&#x42;&#0;&#x110000;&#xD800;&#128;",
      "AB\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac" },
    { "&#99999999999999999999;", "\xef\xbf\xbd" },
    { "&eacute;&NotEqualTilde;&CounterClockwiseContourIntegral;",
      "\xc3\xa9\xe2\x89\x82\xcc\xb8\xe2\x88\xb3" },
    { "a&nbsp;&nbsp;b", "a b" },
    { "x\xe2\x80\xaey\xe2\x80\x8bz\xc2\xad!", "xyz!" },
    { "bell\x07 \x1b[31mred", "bell [31mred" },
    { "\xff\xc3(", "\xef\xbf\xbd\xef\xbf\xbd(" },
    { "\xc2\x92", "\xe2\x80\x99" },
    { "<p>\xe4\xbd\xa0\xe5\xa5\xbd</p>", "\xe4\xbd\xa0\xe5\xa5\xbd" },
    { "<averyveryverylongnameofatag>x</averyveryverylongnameofatag>", "x" },
    { "&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>" },
    { "<scr<script>x</script>ipt>y", "xipt>y" },
};

static void test_html(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        heed_text text = { 0 };
        heed__html_text(&text, pages[i].html, strlen(pages[i].html));
        const char *is = text.bytes ? text.bytes : "";
        if (strcmp(is, pages[i].text) != 0) fail_msg("%s -> '%s'", pages[i].html, is);
        heed__text_free(&text);
    }
}

/* Text that would be searched through again and again by a scanner that goes back. */
static void test_linear(void **state) {
    (void)state;
    static const char *const pieces[] = { "<a href=\"", "<!--",    "<a b='\"",  "</", "<iframe>",
                                          "<svg>",      "<script", "<",         "&",  "<a ",
                                          "<!",         "&#",      "<iframe></" };
    const size_t size = 1 << 20;
    char *html = malloc(size);
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        const size_t n = strlen(pieces[p]);
        for (size_t i = 0; i < size; i++) html[i] = pieces[p][i % n];
        heed_text text = { 0 };
        heed__html_text(&text, html, size); /* a quadratic scanner would be at it for hours */
        assert_false(text.failed);
        heed__text_free(&text);
    }
    free(html);
}

static void is_document(const char *said, const char *declared, const char *bytes, size_t size,
                        const char *text) {
    heed_text to = { 0 };
    heed__charset_document(&to, said, declared, bytes, size);
    assert_string_equal(to.bytes ? to.bytes : "", text);
    heed__text_free(&to);
}

static void test_charset(void **state) {
    (void)state;
    char name[32];
    heed_text to = { 0 };
    assert_false(heed__charset_add(&to, "utf-7", "+ADw-", 5));
    assert_false(heed__charset_add(&to, "UTF-8//IGNORE", "a", 1));
    assert_false(heed__charset_add(&to, "", "a", 1));
    assert_int_equal(to.len, 0);
    assert_true(heed__charset_add(&to, " GB2312 ", "\xc4\xe3\xba\xc3", 4));
    assert_string_equal(to.bytes, "\xe4\xbd\xa0\xe5\xa5\xbd");
    heed__text_free(&to);
    is_document("iso-8859-1", NULL, "caf\xe9", 4, "caf\xc3\xa9");
    is_document(NULL, "windows-1251", "\xcf\xf0", 2, "\xd0\x9f\xd1\x80");
    is_document(NULL, NULL, "caf\xe9 \x80", 6, "caf\xc3\xa9 \xe2\x82\xac");
    is_document(NULL, NULL, "caf\xc3\xa9", 5, "caf\xc3\xa9");
    is_document("iso-8859-1", NULL, "caf\xc3\xa9", 5, "caf\xc3\xa9"); /* said, and cannot be */
    is_document("utf-8", NULL, "caf\xe9", 4, "caf\xef\xbf\xbd");
    is_document("nonsense", "shift_jis", "\x93\xfa", 2, "\xe6\x97\xa5");
    is_document(NULL, NULL, "\xef\xbb\xbfx", 4, "x");
    is_document(NULL, "utf-8", "\xff\xfe<\0x\0", 6, "<x");
    is_document(NULL, NULL, "\xfe\xff\0<\0x", 6, "<x");
    is_document(NULL, NULL, "<\0?\0", 4, "<?");
    is_document("big5", NULL, "\xa7\x41\xa6", 3, "\xe4\xbd\xa0\xef\xbf\xbd"); /* cut short */
    is_document(NULL, NULL, "", 0, "");
    assert_true(heed__charset_of("text/xml; Charset=\"Big5\"; x=y", name, sizeof name));
    assert_string_equal(name, "Big5");
    assert_false(heed__charset_of("text/xml", name, sizeof name));
    assert_true(heed__charset_of_xml("<?xml version='1.0' encoding='koi8-r'?>", 39, name, 32));
    assert_string_equal(name, "koi8-r");
    assert_false(heed__charset_of_xml("<rss encoding='koi8-r'>", 23, name, 32));
}

static const struct {
    const char *mail, *subject, *from, *text;
} mails[] = {
    { "", NULL, NULL, NULL },
    { "no header\n\nbody", NULL, NULL, "body" },
    { "Subject: a\n b\n\nbody\n", "a b", NULL, "body" },
    { "From x@y Wed\nSubject: s\n\nb", "s", NULL, "b" },
    { "subject:\t=?iso-8859-1?Q?caf=E9_au_lait?=\n\nb", "caf\xc3\xa9 au lait", NULL, "b" },
    { "Subject: =?utf-8?B?5L2g?= =?utf-8?B?5aW9?= x =?utf-8?Q?y?=\n\nb",
      "\xe4\xbd\xa0\xe5\xa5\xbd x y", NULL, "b" },
    { "Subject: =?broken =?utf-8?Z?x?= =?utf-8?B?\n\nb", "=?broken =?utf-8?Z?x?= =?utf-8?B?", NULL,
      "b" },
    { "Subject: raw caf\xe9\n\nb", "raw caf\xc3\xa9", NULL, "b" },
    { "From: \"A, B\" <A.B@X.org>\n\nb", NULL, "\"A, B\" <A.B@X.org>", "b" },
    { "Content-Transfer-Encoding: base64\n\naGVs\nbG8=\n", NULL, NULL, "hello" },
    { "Content-Transfer-Encoding: Quoted-Printable\n\na=3Db=\n c=ZZ=4", NULL, NULL, "a=b c=ZZ=4" },
    { "Content-Type: text/html; charset=utf-8\n\n<p>a<p>b", NULL, NULL, "a\nb" },
    { "Content-Type: multipart/alternative; boundary=\"x y\"\n\npreamble\n--x y\n"
      "Content-Type: text/html\n\n<b>h</b>\n--x y\nContent-Type: text/plain\n\nplain\n--x y--\nend",
      NULL, NULL, "plain" },
    { "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/related;\r\n"
      " boundary=ab\r\n\r\n--ab\r\nContent-Type: text/html\r\n\r\n<i>in</i>ner\r\n--ab--\r\n--a\r\n"
      "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=x\r\n\r\nno\r\n--a--",
      NULL, NULL, "inner" },
    { "Content-Type: message/rfc822\n\nSubject: other\n\ninner", NULL, NULL, NULL },
    { "Content-Type: application/pdf\n\n%PDF", NULL, NULL, NULL },
    { "Content-Type: multipart/mixed; boundary=\n\nbody", NULL, NULL, NULL },
};

static void same(const char *mail, const char *is, const char *should) {
    if (is && should ? strcmp(is, should) != 0 : is != should)
        fail_msg("%s: '%s', not '%s'", mail, is ? is : "(none)", should ? should : "(none)");
}

static void test_mail(void **state) {
    (void)state;
    heed_error err;
    heed_mail m;
    for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
        assert_int_equal(heed__mail_read(&m, mails[i].mail, strlen(mails[i].mail), NULL, &err), 0);
        same(mails[i].mail, m.subject, mails[i].subject);
        same(mails[i].mail, m.from, mails[i].from);
        same(mails[i].mail, m.text, mails[i].text);
        heed__mail_free(&m);
    }
    const char *reply = "From: B <b@X.org>\nMessage-ID: <2@x>\nIn-Reply-To: <1@x>\n"
                        "Date: Wed, 01 May 2024 10:00:00 +0000\n\nb";
    assert_int_equal(heed__mail_read(&m, reply, strlen(reply), NULL, &err), 0);
    assert_string_equal(m.address, "b@x.org");
    assert_string_equal(m.id, "2@x");
    assert_string_equal(m.thread, "1@x");
    assert_int_equal(m.time_ms, 1714557600000);
    heed__mail_free(&m);
    /* parts within parts without end */
    char *deep = malloc(200000);
    size_t len = 0;
    for (int i = 0; i < 1000; i++)
        len += (size_t)sprintf(deep + len, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n",
                               i, i);
    assert_int_equal(heed__mail_read(&m, deep, len, NULL, &err), 0);
    assert_null(m.text);
    heed__mail_free(&m);
    free(deep);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_charset),
        cmocka_unit_test(test_mail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
