#!/usr/bin/env python3
"""language.py OUT.tsv: made-up texts in languages of the Latin and Cyrillic scripts, for recipes/language.sh.

Words are drawn, each by itself, from the frequency lists of wordfreq 3 (`pip install wordfreq`; Speer 2022, data CC BY-SA 4.0),
with the frequency to the power 0.8, so that rarer words are seen too; a quarter of the texts has its accents taken off, as
people do who type in a hurry. The order of words is lost that way, and nothing but words is learnt.
"""
import random
import sys
import unicodedata

import wordfreq

LANGUAGES = "ca cs da de en es fi fil fr hu id is it lt lv nb nl pl pt ro sh sk sl sr sv tr vi bg mk ru uk".split()
TEXTS, WORDS = 4000, 30000
R = random.Random(1)


def plain(text):
    text = text.replace("ß", "ss").replace("ł", "l").replace("đ", "d").replace("ø", "o").replace("ı", "i").replace("æ", "ae")
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


CYRILLIC = dict(zip("abcčćdđefghijklmnoprsštuvzž", "абцчћдђефгхијклмнопрсштувзж"))


def serbian(word):
    """The lists hold Serbian in Latin letters ("sh"): one letter for one, but lj, nj and dž."""
    for two, one in (("lj", "љ"), ("nj", "њ"), ("dž", "џ")):
        word = word.replace(two, one)
    return "".join(CYRILLIC.get(c, c) for c in word)


def words_of(language):
    cyrillic = language in ("bg", "mk", "ru", "uk")
    pairs = []
    if language == "sr":
        words, weights = words_of("sh")
        pairs = [(serbian(w), f) for w, f in zip(words, weights) if not set(w) & set("qwxy")]
        return [w for w, _ in pairs], [f for _, f in pairs]
    for word in wordfreq.top_n_list(language, WORDS, wordlist="best"):
        letters = [c for c in word if c.isalpha()]
        if len(letters) < len(word) - word.count("'") - word.count("-") or not letters:
            continue
        if any(("CYRILLIC" in unicodedata.name(c, "")) != cyrillic for c in letters):
            continue
        # a word that English uses far more is a guest
        if language != "en" and wordfreq.word_frequency(word, "en") > 2 * wordfreq.word_frequency(word, language):
            continue
        pairs.append((word, wordfreq.word_frequency(word, language) ** 0.8))
    return [w for w, _ in pairs], [f for _, f in pairs]


def text(words, weights):
    drawn = R.choices(words, weights, k=R.choice([1, 2, 3, 4, 5, 6, 8, 10, 12, 15]))
    if sum(map(len, drawn)) < 6:
        drawn += R.choices(words, weights, k=2)
    line = " ".join(w + ("," if R.random() < 0.06 else "") for w in drawn).rstrip(",")
    if R.random() < 0.6:
        line = line[0].upper() + line[1:] + R.choice([".", "?", "!", "", ""])
    return plain(line) if R.random() < 0.25 else line


def main():
    rows = []
    for language in LANGUAGES:
        words, weights = words_of(language)
        print(language, len(words), file=sys.stderr)
        rows += [f"{language}\t{text(words, weights)}\n" for _ in range(TEXTS)]
    R.shuffle(rows)
    with open(sys.argv[1], "w", encoding="utf-8") as f:
        f.write("language\ttext\n" + "".join(rows))


main()
