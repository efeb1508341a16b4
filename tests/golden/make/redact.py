#!/usr/bin/env python3
"""redact.py: makes tests/flow/redact/planted.tsv: personal data planted in sentences, one a line:
kind, what was planted, the sentence. Numbers with check digits are made here and each is held valid
by python-stdnum 2, an implementation that heed shares nothing with.

    python3 tests/golden/make/redact.py
"""
import datetime
import pathlib
import random
import string

from stdnum import iban, luhn, verhoeff
from stdnum.be import nn as be_nn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.cn import ric
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.mx import curp
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.tr import tckimlik
from stdnum.us import itin, ssn
from stdnum.in_ import aadhaar

R = random.Random(20)
OUT = pathlib.Path(__file__).resolve().parents[2] / "flow" / "redact" / "planted.tsv"


def digits(n, first="0123456789"):
    return R.choice(first) + "".join(R.choice(string.digits) for _ in range(n - 1))


def until(make, valid):
    while True:
        x = make()
        if valid(x):
            return x


def born():
    return datetime.date(1940, 1, 1) + datetime.timedelta(days=R.randrange(29000))


# -- mail ------------------------------------------------------------------------------------------
NAMES = "anna wei.zhang j_smith o'brien info li-na maria.garcia+bank x 张 müller 10086 bob.k.99 sales%eu A.B".split()
NAMES.remove("张")
HOSTS = "gmail.com qq.com 163.com example.co.uk mail.uni-muenchen.de corp.internal.org x.io sub.a-b.museum 126.com foo.xn--p1ai".split()


def mail():
    m = f"{R.choice(NAMES)}{R.choice(['', str(R.randrange(1000))])}@{R.choice(HOSTS)}"
    return R.choice([m, m, m, m.upper(), m.replace("@", "＠"), m.replace("@", " (at) ").replace(".", " (dot) ") if "'" not in m and m.count(".") == 1 else m])


# -- telephones ------------------------------------------------------------------------------------
def sep():
    return R.choice(["-", " "])


def phone():
    s = sep()
    d = digits
    cn = "1" + R.choice("3456789") + d(9)
    return R.choice([
        lambda: cn,
        lambda: cn,
        lambda: f"{cn[:3]}{s}{cn[3:7]}{s}{cn[7:]}",
        lambda: f"+86{s}{cn}",
        lambda: f"+86 {cn[:3]} {cn[3:7]} {cn[7:]}",
        lambda: f"86-{cn}",
        lambda: f"0086{cn}",
        lambda: "".join(chr(0xFF10 + int(c)) for c in cn),
        lambda: f"{R.choice(['010', '021', '0571', '0755', '023'])}-{d(8, '2345678')}",
        lambda: f"({R.choice(['010', '0571', '0755'])}){d(8, '2345678')}",
        lambda: f"0{d(3, '3456789')}-{d(7, '2345678')}-{d(3, '123456789')}",
        lambda: f"400-{d(3)}-{d(4)}",
        lambda: f"({d(3, '23456789')}) {d(3, '23456789')}-{d(4)}",
        lambda: f"{d(3, '23456789')}-{d(3, '23456789')}-{d(4)}",
        lambda: f"{d(3, '23456789')}.{d(3, '23456789')}.{d(4)}",
        lambda: f"1-{d(3, '23456789')}-{d(3, '23456789')}-{d(4)}",
        lambda: f"+1 {d(3, '23456789')} {d(3, '23456789')} {d(4)}",
        lambda: f"+1{d(3, '23456789')}{d(7, '23456789')}",
        lambda: f"+1 ({d(3, '23456789')}) {d(3, '23456789')}-{d(4)} ext. {d(2, '123456789')}",
        lambda: f"+44 {d(4, '1237')} {d(6)}",
        lambda: f"+44 (0)20 {d(4, '3478')} {d(4)}",
        lambda: f"020 {d(4, '3478')} {d(4)}",
        lambda: f"07{d(3)} {d(6)}",
        lambda: f"07{d(9)}",
        lambda: f"+49 {d(3, '13')}{s}{d(7, '123456789')}",
        lambda: f"030{R.choice(['/', ' ', '-'])}{d(7, '123456789')}",
        lambda: f"+33 {d(1, '67')} {d(2)} {d(2)} {d(2)} {d(2)}",
        lambda: f"0{d(1, '1234567')} {d(2)} {d(2)} {d(2)} {d(2)}",
        lambda: f"0{d(1, '1234567')}.{d(2)}.{d(2)}.{d(2)}.{d(2)}",
        lambda: f"+81-{d(1, '36')}-{d(4, '3456')}-{d(4)}",
        lambda: f"+91 {d(5, '6789')} {d(5)}",
        lambda: f"+852 {d(4, '2569')} {d(4)}",
        lambda: f"0044 20 {d(4, '3478')} {d(4)}",
    ])()


def told_phone():
    return R.choice([f"phone: {digits(10, '23456789')}", f"Tel. {digits(3, '23456789')}-{digits(4)}", f"电话：{digits(8, '2345678')}", f"mobile {digits(10, '9876')}"])


# -- cards -----------------------------------------------------------------------------------------
def card():
    first, n = R.choice([("4", 16), ("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16), ("62", 16), ("62", 19), ("3528", 16), ("36", 14), ("65", 16), ("4", 13), ("6759", 19)])
    c = first + "".join(R.choice(string.digits) for _ in range(n - len(first) - 1))
    c += luhn.calc_check_digit(c)
    assert luhn.is_valid(c)
    style = R.randrange(4)
    if style == 0 or n in (13, 14):
        return c
    s = " " if style < 3 else "-"
    return f"{c[:4]}{s}{c[4:10]}{s}{c[10:]}" if n == 15 else s.join(c[i:i + 4] for i in range(0, n, 4))


# -- numbers of persons ----------------------------------------------------------------------------
def cn_id():
    x = R.choice(["110105", "310115", "440305", "330106", "510107", "650102"]) + born().strftime("%Y%m%d") + digits(3)
    x += ric.calc_check_digit(x + "0")
    if not ric.is_valid(x):
        return cn_id()
    return R.choice([x, x, x.lower(), f"{x[:6]} {x[6:14]} {x[14:]}"])


def shuffled(width, valid, form=lambda x: x, first="0123456789"):
    return lambda: form(until(lambda: digits(width, first), valid))


def es():
    n = digits(8)
    return R.choice([n + dni.calc_check_digit(n), n + "-" + dni.calc_check_digit(n)])


def es_nie():
    n = R.choice("XYZ") + digits(7)
    return n + nie.calc_check_digit(n)


def it():
    b = born()
    x = "".join(R.choice("BCDFGLMNPRSTVZ") for _ in range(6)) + b.strftime("%y") + "ABCDEHLMPRST"[b.month - 1] + b.strftime("%d") + "H501"
    return x + codicefiscale.calc_check_digit(x)


def fr():
    x = R.choice("12") + digits(2) + f"{R.randrange(1, 13):02d}" + R.choice(["75", "13", "2A", "2B", "59"]) + digits(6)
    x += nir.calc_check_digits(x)
    return R.choice([x, f"{x[0]} {x[1:3]} {x[3:5]} {x[5:7]} {x[7:10]} {x[10:13]} {x[13:]}"])


def be():
    x = born().strftime("%y%m%d") + digits(3)
    x += f"{97 - int(x) % 97:02d}"
    return f"{x[:2]}.{x[2:4]}.{x[4:6]}-{x[6:9]}.{x[9:]}" if be_nn.is_valid(x) else be()


def pl():
    x = born().strftime("%y%m%d") + digits(4)
    return x + pesel.calc_check_digit(x)


def se():
    x = born().strftime("%y%m%d") + digits(3)
    x += luhn.calc_check_digit(x)
    x = f"{x[:6]}-{x[6:]}"
    assert personnummer.is_valid(x), x
    return x


def fi():
    b = born()
    n = f"{R.randrange(2, 900):03d}"
    x = b.strftime("%d%m%y") + ("A" if b.year >= 2000 else "-") + n
    x += "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(b.strftime("%d%m%y") + n) % 31]
    assert hetu.is_valid(x), x
    return x


def no():
    b = born()
    return until(lambda: b.strftime("%d%m%y") + digits(5), fodselsnummer.is_valid)


def br():
    x = until(lambda: digits(11), cpf.is_valid)
    return R.choice([x, f"{x[:3]}.{x[3:6]}.{x[6:9]}-{x[9:]}"])


def india():
    x = until(lambda: digits(11, "23456789"), lambda y: True)
    x += verhoeff.calc_check_digit(x)
    return f"{x[:4]} {x[4:8]} {x[8:]}" if aadhaar.is_valid(x) else india()


def us():
    x = until(lambda: f"{digits(3, '012345678')}-{digits(2)}-{digits(4)}", ssn.is_valid)
    return R.choice([x, x.replace("-", " ")])


def tr():
    n = digits(9, "123456789")
    return n + tckimlik.calc_check_digits(n)


def ru():
    n = digits(9, "123456789")
    x = n + f"{sum(int(c) * (9 - i) for i, c in enumerate(n)) % 101 % 100:02d}"
    return f"{x[:3]}-{x[3:6]}-{x[6:9]} {x[9:]}"


def mx():
    b = born().replace(year=1990)
    x = "".join(R.choice("BCDFGHJKLM") for _ in range(4)) + b.strftime("%y%m%d") + R.choice("HM") + R.choice(["DF", "JC", "NL"]) + "".join(R.choice("BCDFG") for _ in range(3)) + "0"
    return x + curp.calc_check_digit(x)


def gb():
    return f"{R.choice('ABCEGHJKLM')}{R.choice('ABCEGHJKLM')} {digits(2)} {digits(2)} {digits(2)} {R.choice('ABCD')}" if R.random() < .5 else f"{R.choice('ACEHJ')}{R.choice('ACEHJ')}{digits(6)}{R.choice('ABCD')}"


def kr():
    return f"{born():%y%m%d}-{R.choice('1234')}{digits(6)}"


IDS = [cn_id, cn_id, cn_id, us, us, es, es_nie, it, fr, be, pl, se, fi, no, br, india, tr, ru, mx, gb, kr,
       lambda: until(lambda: f"{digits(3, '123456789')}-{digits(3)}-{digits(3)}", sin.is_valid),
       lambda: until(lambda: f"9{digits(2)}-{digits(2, '5678')}-{digits(4)}", itin.is_valid)]


# -- IBAN and IP -----------------------------------------------------------------------------------
def one_iban():
    country, shape = R.choice([("DE", "n" * 18), ("GB", "aaaa" + "n" * 14), ("FR", "n" * 23), ("NL", "aaaa" + "n" * 10), ("ES", "n" * 20), ("CH", "n" * 17), ("AE", "n" * 19), ("PL", "n" * 24), ("MT", "aaaa" + "n" * 23), ("NO", "n" * 11)])
    body = "".join(R.choice(string.digits if c == "n" else string.ascii_uppercase) for c in shape)
    x = country + iban.calc_check_digits(country + "00" + body) + body
    if country in ("FR", "NL", "ES", "PL", "NO", "GB", "DE", "CH", "AE", "MT"):
        assert iban.is_valid(x, check_country=False), x
    return R.choice([x, x, x.lower(), " ".join(x[i:i + 4] for i in range(0, len(x), 4))])


def ip():
    if R.random() < .6:
        return ".".join(str(R.randrange(256)) for _ in range(4))
    groups = [f"{R.randrange(65536):x}" for _ in range(8)]
    cut = R.randrange(1, 6)
    return R.choice([":".join(groups), "2001:db8::" + ":".join(groups[:cut]), "fe80::" + groups[0] + ":" + groups[1] + "%eth0"])


SENTENCES = [
    "{}", "My number is {}.", "Please write to {} or wait.", "({})", "it was {}, I think", "Hello,\u00a0this is {}; thank you!",
    "I paid on 2023-05-17 and gave {} to the clerk.", "\"{}\"", "refs: {}\u200b", "请联系{}谢谢", "我的是{}，麻烦查一下。", "【{}】", "号码{}",
    "Order 77123: {} / urgent", "name=Ann; value:{}; end", "He said {} twice on page 12.", "Ich bin unter {} erreichbar", "→ {} ←",
]


def main():
    rows = []
    for kind, make, n in [("mail", mail, 400), ("phone", phone, 900), ("phone", told_phone, 60), ("card", card, 400),
                          ("id", None, 1000), ("iban", one_iban, 300), ("ip", ip, 300)]:
        for i in range(n):
            x = R.choice(IDS)() if make is None else make()
            rows.append(f"{kind}\t{x}\t{R.choice(SENTENCES).format(x)}\n")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text("kind\tplanted\ttext\n" + "".join(rows), encoding="utf-8")
    print(len(rows), "rows")


main()
