#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile texts, made from a seed by repeating, nesting and mixing: what a search by coverage alone does not find.

    tests/fuzz/hostile.py SEED [NUMBER [COUNT]]

prints texts as JSON, one a line.  The text of a seed and a number is always the same.
"""

import json
import random
import sys

# Most texts are short, so that many are tried; a long one has room for what only repetition does.
BYTES_SHORT = 400
BYTES_LONG = 4096
LONG_SHARE = 0.12

# In one of so many texts a byte is broken, so that it is no UTF-8.
BROKEN_SHARE = 0.01
BROKEN = (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80", b"\xe2\x80", b"\x80")

MARKS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
TYPOGRAPHY = "‘’‚“”„«»‹›–—…•·°§‰€£¿¡×÷±"
BRACKETS = ("()", "[]", "{}", "<>", '""', "''", "``", "“”", "‘’", "«»", "「」", "**", "__")
BLANKS = (" ", "  ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u2003", "\u200b", "\u00ad", "\u2028", "")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
COMBINING = "\u0300\u0301\u0308\u030a\u0327\u0335\u0336\u035c\u0489\u20dd\u1ab0"
EMOJI = ("🙂", "🎉", "❤\ufe0f", "👍🏽", "👨\u200d👩\u200d👧\u200d👦", "🇪🇹",
         "\U0001f3f4\U000e0067\U000e0062\U000e007f", "☺", "1\ufe0f\u20e3", "☃", "✉")
SCRIPTS = ("漢字かな交じり文。", "中文，没有空格！", "한국어 문장입니다.", "ሰላም ለዓለም። ፩፪፫ ፡፡", "السلام عليكم، كيف؟",
           "שלום עולם", "नमस्ते दुनिया।", "สวัสดีชาวโลก", "Привет, мир!", "Γειά σου", "Ｆｕｌｌ　Ｗｉｄｔｈ　１２３", "ﬁﬂﬀﬃ Ǆ ß ẞ ŉ",
           "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛", "①②③ ⅓ Ⅷ ㎏ ℡")
ODD = (
    "\u0001\u0007\u001b\u007f\u0085\u200d\u200e\u202e\u2066\ufeff\ufffd\ufffe\uffff\U0001ffff"
    "\ue000\U0010ffff\u0345\ufdfa\u3164"
)
WORDS = ("the", "quick", "Dr.", "e.g.", "U.S.A.", "St.", "No.", "a", "I", "rhythm", "queue", "naïve", "can't",
         "o'clock", "re-elect", "antidisestablishmentarianism", "Worcestershire", "hmm", "psst", "McDonald",
         "iPhone", "XVIII", "Mr", "vs.", "etc.", "co-op's")
OROMO = ("ba'uu", "ga’e", "mana'aa", "du'uun", "taa’ee", "bu\u02bcuura", "waa'ee", "re'ee", "ʼʼ", "qa''aa",
         "Afaan Oromoo")
NUMBERS = ("0", "007", "1,234,567.89", "$1,000,000,000,000", "-273.15", "3.14159265358979", "1/2", "31/12/1999",
           "12:34:56", "99%", "1e999", "0x1F", "1st", "22nd", "1990s", "+44 20 7946 0958", "192.168.0.1", "£3.50", "€",
           "5'11\"", "#1", "10^100", "II", "1-800-555", "²³")
ADDRESSES = ("https://example.com/a/b?c=d&e=%20%ff#g", "http://[::1]:8080/", "mailto:a.b+c@example.co.uk",
             "ftp://x..y//", "www.a-b-c.example", "user@example.org", "file:///etc/passwd", "C:\\Windows\\system32",
             "../../../etc/passwd", "a@b@c@d")
MARKUP = ("<speak>", "</speak>", "<audio src='/etc/passwd'/>", "<prosody rate='0'>", "</prosody>",
          "<voice name='/dev/zero'>", "<break time='9999999s'/>", "<![CDATA[", "]]>", "<!--", "&lt;&#0;&amp;",
          "<?xml version='1.0'?>", "<!DOCTYPE a [<!ENTITY b '&b;'>]>", "%s%n%x", "$(id)", "`id`", "{{7*7}}", "\\u0041", "[[inpt PHON]]",
          "<p/>", "\"; DROP TABLE jobs; --")


def of(*choices):
    return lambda rng: rng.choice(choices)


def token(rng):
    """A long one, of letters and digits and marks."""
    alphabet = rng.choice((LETTERS, LETTERS.upper(), "0123456789", LETTERS + "0123456789", MARKS,
                           "bcdfghjklmnpqrstvwxz", "aeiou", LETTERS + "'", "01", ".-", "IVXLCDM", "ab.", "A1", "0.",
                           "0,", "1/", "1:"))
    return "".join(rng.choice(alphabet) for _ in range(rng.choice((2, 9, 65, 130, 300, 1000))))


def stacked(rng):
    """A letter beneath many marks."""
    return rng.choice(LETTERS) + "".join(rng.choice(COMBINING) for _ in range(rng.choice((1, 5, 60, 300))))


PIECES = (
    of(*LETTERS), of(*LETTERS.upper()), of(*"0123456789"), of(*MARKS), of(*MARKS),
    of(*TYPOGRAPHY), of(*ODD), token, stacked, of(*EMOJI), of(*SCRIPTS), of(*WORDS), of(*WORDS), of(*OROMO),
    of(*NUMBERS), of(*NUMBERS), of(*ADDRESSES), of(*MARKUP), of(*BLANKS),
)


def repeat(rng, depth):
    """The same again and again; 300 to 330 marks behind a token are where flite 2.2 overflows."""
    separator = rng.choice(("", "", "", *BLANKS))
    return separator.join([make(rng, depth)] * rng.choice((2, 3, 8, 9, 63, 65, 257, 310, 330, 1000)))


def nest(rng, depth):
    times = rng.choice((2, 10, 100, 310, 500))
    brackets = [rng.choice(BRACKETS) for _ in range(rng.choice((1, 3)))] * times
    opening, closing = zip(*brackets[:times])
    return "".join(opening) + make(rng, depth) + "".join(reversed(closing))


def mix(rng, depth):
    parts = [make(rng, depth) for _ in range(rng.choice((2, 3, 5, 12, 40)))]
    separator = rng.choice(BLANKS)
    return separator.join(parts) if rng.random() < 0.5 else "".join(part + rng.choice(BLANKS) for part in parts)


def shuffle(rng, depth):
    characters = list(make(rng, depth))
    rng.shuffle(characters)
    return "".join(characters)


def end_with_marks(rng, depth):
    """A token, and then a long run of marks before and behind it."""
    run = [rng.choice(MARKS) for _ in range(rng.choice((1, 2, 5)))]
    marks = "".join(run) * rng.choice((10, 70, 310, 900))
    return rng.choice(("", marks)) + make(rng, depth) + marks


WAYS = (repeat, repeat, nest, mix, mix, mix, shuffle, end_with_marks)


def make(rng, depth):
    """A piece, or what one of the ways makes of others; each is cut, since the ways multiply."""
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(PIECES)(rng)
    return rng.choice(WAYS)(rng, depth - 1)[: 2 * BYTES_LONG]


def cut(text, size):
    """The beginning of it that takes so many bytes at most."""
    return text.encode()[:size].decode(errors="ignore")


def hostile(seed, number):
    """The text, as bytes: UTF-8 as a rule, without a NUL.  Never empty."""
    rng = random.Random(f"{seed}/{number}")
    size = rng.randint(BYTES_SHORT, BYTES_LONG) if rng.random() < LONG_SHARE else rng.randint(1, BYTES_SHORT)
    text = cut(rng.choice(WAYS)(rng, rng.randint(0, 2)), size).encode() or b"?"
    if rng.random() < BROKEN_SHARE:
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(BROKEN) + text[at + 1 :]
    return text


def shown(text):
    """A text as JSON; what is no UTF-8 in it stays to be seen."""
    return json.dumps(text.decode(errors="backslashreplace"))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    for number in range(first, first + count):
        print(shown(hostile(sys.argv[1], number)))


if __name__ == "__main__":
    main()
