/* charset.c: iconv behind a list of names. Only names of the list reach iconv, which would load
 * whatever converter a stranger's document asks for. */
#include "flow/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static const char replacement[] = "\xef\xbf\xbd";

/* Names with spaces between, and iconv's for them. */
static const struct {
    const char *names, *is;
} sets[] = {
    { "utf-8 utf8 unicode-1-1-utf-8 x-unicode20utf8", "UTF-8" },
    { "us-ascii ascii iso-8859-1 iso8859-1 iso_8859-1 latin1 l1 windows-1252 cp1252 x-cp1252 "
      "ansi_x3.4-1968 cp819 ibm819 iso-ir-100",
      "CP1252" },
    { "iso-8859-2 iso8859-2 latin2 l2", "ISO-8859-2" },
    { "iso-8859-3 latin3", "ISO-8859-3" },
    { "iso-8859-4 latin4", "ISO-8859-4" },
    { "iso-8859-5 cyrillic", "ISO-8859-5" },
    { "iso-8859-6 arabic", "ISO-8859-6" },
    { "iso-8859-7 greek", "ISO-8859-7" },
    { "iso-8859-8 iso-8859-8-i hebrew", "ISO-8859-8" },
    { "iso-8859-9 latin5 windows-1254 cp1254", "CP1254" },
    { "iso-8859-10 latin6", "ISO-8859-10" },
    { "iso-8859-13", "ISO-8859-13" },
    { "iso-8859-14", "ISO-8859-14" },
    { "iso-8859-15 latin9 l9", "ISO-8859-15" },
    { "iso-8859-16", "ISO-8859-16" },
    { "iso-8859-11 tis-620 windows-874 dos-874", "CP874" },
    { "windows-1250 cp1250 x-cp1250", "CP1250" },
    { "windows-1251 cp1251 x-cp1251", "CP1251" },
    { "windows-1253 cp1253", "CP1253" },
    { "windows-1255 cp1255", "CP1255" },
    { "windows-1256 cp1256", "CP1256" },
    { "windows-1257 cp1257", "CP1257" },
    { "windows-1258 cp1258", "CP1258" },
    { "koi8-r koi8 koi", "KOI8-R" },
    { "koi8-u koi8-ru", "KOI8-U" },
    { "ibm866 cp866", "CP866" },
    { "macintosh mac x-mac-roman", "MACINTOSH" },
    { "gb2312 gbk gb18030 chinese cp936 x-gbk gb_2312-80 euc-cn", "GB18030" },
    { "big5 big5-hkscs cn-big5 x-x-big5 csbig5", "BIG5-HKSCS" },
    { "euc-jp x-euc-jp", "EUC-JP" },
    { "shift_jis shift-jis sjis x-sjis ms932 ms_kanji windows-31j cp932", "CP932" },
    { "iso-2022-jp", "ISO-2022-JP" },
    { "euc-kr ks_c_5601-1987 korean ksc5601 windows-949 cp949 uhc", "CP949" },
    { "utf-16le utf-16", "UTF-16LE" },
    { "utf-16be", "UTF-16BE" },
    { "utf-32le utf-32", "UTF-32LE" },
    { "utf-32be", "UTF-32BE" },
};

static const char *iconv_name(const char *name) {
    name += strspn(name, " \t\r\n\"'");
    const size_t len = strcspn(name, " \t\r\n\"';,");
    if (len == 0) return NULL;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        for (const char *at = sets[i].names; *at;) {
            const size_t n = strcspn(at, " ");
            if (n == len && strncasecmp(at, name, n) == 0) return sets[i].is;
            at += n + (at[n] == ' ');
        }
    }
    return NULL;
}

static void add_utf8(heed_text *to, const char *bytes, size_t size) {
    while (size > 0) {
        const size_t good = heed__utf8_check(bytes, size);
        heed__text_add(to, bytes, good);
        if (good == size) return;
        heed__text_add(to, replacement, 3);
        bytes += good + 1;
        size -= good + 1;
    }
}

static void convert(heed_text *to, iconv_t how, const char *bytes, size_t size) {
    char *in = (char *)(uintptr_t)bytes, out[4096];
    for (bool last = false; !to->failed;) {
        char *at = out;
        size_t room = sizeof out;
        const size_t rc = last ? iconv(how, NULL, NULL, &at, &room)
                               : iconv(how, &in, &size, &at, &room);
        const int number = errno;
        heed__text_add(to, out, sizeof out - room);
        if (rc != (size_t)-1 && last) return;
        if (rc != (size_t)-1) {
            last = true; /* what the converter still holds */
        } else if (number == E2BIG) {
            continue;
        } else if (last || size == 0) {
            return;
        } else { /* EILSEQ, or EINVALID: cut within a character */
            heed__text_add(to, replacement, 3);
            in++;
            size--;
        }
    }
}

bool heed__charset_add(heed_text *to, const char *name, const char *bytes, size_t size) {
    const char *is = iconv_name(name);
    if (!is) return false;
    if (strcmp(is, "UTF-8") == 0) {
        add_utf8(to, bytes, size);
        return true;
    }
    const iconv_t how = iconv_open("UTF-8", is);
    if (how == (iconv_t)-1) return false; /* a system without that converter */
    convert(to, how, bytes, size);
    iconv_close(how);
    return true;
}

static bool has_high(const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)bytes[i] >= 0x80) return true;
    return false;
}

void heed__charset_document(heed_text *to, const char *said, const char *declared,
                            const char *bytes, size_t size) {
    static const struct {
        const char *mark;
        size_t size;
        const char *name;
    } marks[] = { { "\xef\xbb\xbf", 3, "utf-8" },    { "\xff\xfe\0\0", 4, "utf-32le" },
                  { "\0\0\xfe\xff", 4, "utf-32be" }, { "\xff\xfe", 2, "utf-16le" },
                  { "\xfe\xff", 2, "utf-16be" },     { "<\0?\0", 4, "utf-16le" },
                  { "\0<\0?", 4, "utf-16be" } };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (size < marks[i].size || memcmp(bytes, marks[i].mark, marks[i].size) != 0) continue;
        const size_t skip = marks[i].mark[0] == '<' || marks[i].mark[1] == '<' ? 0 : marks[i].size;
        if (heed__charset_add(to, marks[i].name, bytes + skip, size - skip)) return;
    }
    const bool utf8 = heed__utf8_check(bytes, size) == size;
    /* in UTF-16 and UTF-32 no text begins as these bytes do */
    const char *names[2] = { said, declared };
    for (int i = 0; i < 2 && !(utf8 && has_high(bytes, size)); i++) {
        const char *is = names[i] ? iconv_name(names[i]) : NULL;
        if (!is || strncmp(is, "UTF-", 4) == 0) continue;
        if (heed__charset_add(to, names[i], bytes, size)) return;
    }
    for (int i = 0; i < 2 && !utf8; i++) {
        const char *is = names[i] ? iconv_name(names[i]) : NULL;
        if (is && strcmp(is, "UTF-8") == 0) {
            add_utf8(to, bytes, size);
            return;
        }
    }
    if (utf8 || !heed__charset_add(to, "windows-1252", bytes, size)) add_utf8(to, bytes, size);
}

/* The value behind a name and '=' (quotes taken off) from `at` on. */
static bool value_of(const char *at, const char *end, const char *key, char *name, size_t size) {
    const size_t n = strlen(key);
    for (; (size_t)(end - at) > n; at++) {
        if (strncasecmp(at, key, n) != 0) continue;
        const char *v = at + n;
        while (v < end && *v == ' ') v++;
        if (v == end || *v++ != '=') continue;
        while (v < end && (*v == ' ' || *v == '"' || *v == '\'')) v++;
        size_t len = 0;
        while (v + len < end && !strchr(" \t\r\n\"';,?>", v[len])) len++;
        if (len == 0 || len >= size) return false;
        memcpy(name, v, len);
        name[len] = 0;
        return true;
    }
    return false;
}

bool heed__charset_of(const char *content_type, char *name, size_t size) {
    const char *end = content_type + strlen(content_type);
    const char *from = strchr(content_type, ';');
    return from && value_of(from, end, "charset", name, size);
}

bool heed__charset_of_xml(const char *bytes, size_t len, char *name, size_t size) {
    while (len > 0 && (unsigned char)*bytes <= ' ') bytes++, len--;
    if (len < 6 || strncmp(bytes, "<?xml", 5) != 0) return false;
    const char *end = memchr(bytes, '>', len < 400 ? len : 400);
    return end && value_of(bytes + 5, end, "encoding", name, size);
}
