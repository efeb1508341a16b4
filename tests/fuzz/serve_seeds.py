#!/usr/bin/env python3
"""serve_seeds.py FOLDER: what the fuzzers of the serving parts begin with, a folder each: server, http, mail. (corpus.tar.zst beside
this file holds what came of them, minimised, and of feed, flow and table.)"""
import os
import sys

SERVER = [
    b"\0GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\1POST /echo HTTP/1.1\r\nHost: localhost\r\nX-Tag: a\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello",
    b"\2POST /tree HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\n{\"tex\r\n7;x=y\r\nt\":\"a\"}\r\n0\r\nTrailer: b\r\n\r\n",
    b"\3GET /part/a%0d%0aX-Evil:%201?n=3&q=%0aX-Evil HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n",
    b"\0GET http://localhost/events?after=3 HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 2\r\n\r\n",
    b"\0POST /words HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}",
    b"\0DELETE /file/a/../b HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n\r\n",
    b"\0OPTIONS * HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil\r\nAccess-Control-Request-Method: POST\r\n\r\n",
    b"\x80HEAD /openapi.json HTTP/1.0\r\n\r\n",
    b"\0GET /docs HTTP/1.1\r\nHost: [::1]:8\r\nConnection: close\r\nCookie: a=b; heed_key=c\r\n\r\n",
]
HTTP = [
    b'\0{"type":"object","properties":{"a":{"type":"integer","minimum":1}},"required":["a"],"additionalProperties":false}\n{"a":2}',
    b'\0{"oneOf":[{"type":"string","maxLength":3},{"type":"array","items":{"enum":["x","y"]}}]}\n["x"]',
    b"\1/a/b%20c/b/d?x=1&y=%C3%A4",
    b"\1http://localhost:80/f/a/b",
    b"\1/a/..%2f",
    b"\1*",
    b"\2anna read,write 50 2026-01-01 " + b"a" * 64 + b"\n",
]
MAIL = [
    b"\0From: Ann <ann@example.org>\r\nSubject: =?utf-8?B?w4RyZ2Vy?= =?iso-8859-1?q?=FC?=\r\nMessage-ID: <1@x>\r\n"
    b"Date: Sat, 21 Nov 2026 10:00:00 +0100\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nHello =C3=A4\r\n--\r\nsig\r\n",
    b'\0From: x@y\nContent-Type: multipart/alternative; boundary="b"\n\n--b\nContent-Type: text/plain\n\nplain\n--b\n'
    b"Content-Type: text/html; charset=gb2312\nContent-Transfer-Encoding: base64\n\nPGI+aGk8L2I+\n--b--\n",
    b"\0From: x\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\nSubject: inner\n\nx\n--a\n"
    b"Content-Disposition: attachment; filename*=utf-8''%41\n\n\n--a--",
    b"\1<p>a<script>x</script><br>&amp;&#x41;<style>y</style><!-- c --><ul><li>q</ul><a href='x'>l</a>",
] + [b"\2" + c + b"\0\xb0\xa1\x80abc" for c in (b"gb18030", b"koi8-r", b"shift_jis", b"utf-16", b"windows-1252", b"big5", b"iso-2022-jp")] + [
    b"\3" + d for d in (b"Sat, 21 Nov 2026 10:00:00 +0100", b"2026-11-21T10:00:00.123Z", b"20261121T100000", b"Nov 21 2026 10:00 PST", b"2026-W47-6")]

for name, seeds in (("server", SERVER), ("http", HTTP), ("mail", MAIL)):
    folder = os.path.join(sys.argv[1], name)
    os.makedirs(folder, exist_ok=True)
    for i, seed in enumerate(seeds):
        with open(os.path.join(folder, "seed%02d" % i), "wb") as f:
            f.write(seed)
