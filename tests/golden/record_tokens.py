#!/usr/bin/env python3
"""Records what Hugging Face `tokenizers` makes of texts: tokens.jsonl, sweep.tsv and tokens.json in this folder.

    record_tokens.py --weights DIR --onet DIR

--weights holds vocab.txt, --onet an O*NET release ("Alternate Titles.txt"), of which only a hash is kept.
Needs the package `tokenizers`; the figures in the repository are of the version that tokens.json names.
"""
import argparse
import hashlib
import itertools
import json
import pathlib
import random
import struct

import tokenizers

MAX_TOKENS = 256
BLOCK = 4096  # code points a line of sweep.tsv
HERE = pathlib.Path(__file__).parent

LEVELS = ["Senior", "Junior", "Lead", "Sr.", "Asst", "Chief", "Part-time", "Trainee", "Head", "Principal", ""]
FIELDS = ["Java", "C++", "C#", ".NET", "R&D", "ICU", "Forklift", "Payroll", "Bilingual", "Dental", "HVAC", "Café",
          "Crème brûlée", "Naïve Bayes", "Zürich", "Ångström", "AT&T", "e-Commerce", "3rd Shift", "Œnology", "İzmir"]
JOBS = ["Developer", "Nurse", "Operator", "Clerk", "Chef", "Engineer II", "Teacher (K-12)", "Technician", "Coiffeuse",
        "Krankenpfleger", "Señor Editor", "看護師", "간호사", "Инженер", "Μηχανικός", "مهندس", "अभियंता", "วิศวกร", "Hemşire"]
TAILS = ["", "- Nights", "$25/hr", "@ Mercy", "#1234", "(m/f/d)", "/ Remote", "w/ sign-on bonus!", "–Req_0042", "100%",
         "🚀", "\N{ZERO WIDTH SPACE}now", "up to 40 h"]
SENTENCES = ["You will lead a small team.", "Experience with PostgreSQL 15 and k8s is a plus.",
             "We're an equal-opportunity employer.",
             "Lift 50 lbs; stand 8 hrs/day.", "Apply by 12/31.", "Salaire à négocier.", "Überstunden werden bezahlt.",
             "Must hold a valid driver's licence.", "Shift: 7am-3:30pm.", "Benefits (401(k), PTO, dental)."]


def adversarial():
    """Texts that tokenizers get wrong: one idea a line."""
    yield from ["", " ", "\t\r\n\x0b\x0c", "\x00", "a\x00b", "\ufeffnurse", "a\ufffdb", "\x7f\x80\x85\x9fx"]
    yield from ["[SEP]", "[CLS] nurse [SEP]", "[MASK]", "[UNK][PAD]", "[unused1] [ SEP ]", "##ing ## #", "[sep][Sep]"]
    yield from ["résumé Ångström ÀÉÎÕÜ", "e\u0301\u0302\u0323x", "\u0301", "\u0301a", "a\u0344b", "\u1e9e ß ẞ",
                "ﬁ ﬂ ĳ ŉ"]
    yield from ["İstanbul Iıiİ", "ΟΔΟΣ ΣΑΣ Σ", "ǅ ǈ Ǆ", "ᾳ ᾼ ῼ", "K Å Ω", "\u212b\u2126\u212a", "ᏣᎳᎩ ꭰ", "Ⴀ Ა ა"]
    yield from ["漢字", "ab漢cd字", "𠀀𪜀", "豈\uf900\ufa0e", "\u3007\u3005", "ひらがな カタカナ がぱ ｶﾞ", "한국어 간호사",
                "\u1112\u1161\u11ab",
                "한글\u302e"]
    yield from ["👩‍⚕️", "👨‍👩‍👧‍👦 nurse", "🇩🇪", "1️⃣", "☕️", "🧑🏽‍🍳chef", "a\u200db", "a\u200cb", "a\u200bb",
                "so\u00adft",
                "\u202enurse\u202c", "\u2066x\u2069", "a\u2060b", "a\u180eb", "\U000e0041\U000e007f"]
    yield from ["a\u00a0b", "a\u2003b\u2009c\u202fd\u205fe\u3000f\u1680g", "a\u2028b\u2029c", "\u00a0", "a\u0085b"]
    yield from ["\ue000x\uf8ff", "\U000f0000\U0010fffdx", "\U0010ffff", "\ufdd0\ufffe", "\u0378\u0380",
                "\U000323afx", "a\U0001fbffb"]
    yield from ["\u037e \u0387 \u1fef", "≠ ≮ ≯", "\u2260b", "«quoted» “x” ‘y’ …", "a—b–c‐d", "¿qué? ¡sí!",
                "€5 £6 ¥7 ¢8 ©®™", "№ ℡ ½ ² ①"]
    yield from ["हिन्दी क़ ड़", "বাংলা", "தமிழ்", "ไทย", "ລາວ", "བོད་", "ខ្មែរ", "မြန်မာ", "עִבְרִית",
                "العَرَبِيَّة", "ܣܘܪܝܝܐ", "\u1b44\u302e\u1baa", "x\u302e\u1b44\u302f\u0334y",
                "\U0001d15e\U0001d165\U0001d16e", "\U00011938", "\U00011935\U00011930", "\u0958\u0f77\u0f73"]
    yield from ["\u1734 \u166d \U000111c9", "a\u061db \u2e52c", "\u1abf\u0898x", "\ua7cb\ua7dc\u1c89",
                "\U00010d50\U00010d65", "\U00016ea0"]
    yield from ["a" * 99, "a" * 100, "a" * 101, "a" * 10000, "é" * 100, "é" * 101, "e\u0301" * 100, "한" * 33, "한" * 34,
                "x" + "\u0301" * 10000, "\u1b44" * 100, "\u1b44\u302e" * 60, "漢" * 300, "." * 300, "😀" * 101]
    yield from ["nurse " * 300, "unaffable" * 11, "supercalifragilisticexpialidocious " * 40, "a " * 253 + "unaffable",
                "a " * 252 + "unaffable", "a " * 253, "a " * 254, "a " * 255, "xqzj" * 25 + " " + "qxzjw" * 20]
    yield from ["it's don't o'clock rock'n'roll", "C++/C# .NET Node.js R&D", "a_b-c.d,e;f:g!h?i", "(((x)))",
                "$^`|~<>=+", "1,234.56 10:30 50%",
                "MiXeD cAsE", "e-mail@example.com http://example.com/?a=b&c=d", "-----", "\\n \"q\" {j: [1]}"]
    letters = [chr(c) for low, high in [(0x20, 0x7f), (0xa0, 0x250), (0x300, 0x345), (0x370, 0x590), (0x900, 0x980),
               (0x1ab0, 0x1ad0), (0x1e00, 0x2070), (0x3000, 0x3100), (0x4e00, 0x4e20), (0xac00, 0xac40),
               (0x1d160, 0x1d173),
               (0x1f600, 0x1f610)] for c in range(low, high)]
    rng = random.Random(20)
    for _ in range(200):
        share = rng.random()
        yield "".join(rng.choice(letters) if rng.random() < share else rng.choice("aeinrst ")
                       for _ in range(rng.randint(1, 60)))


def postings():
    """500 texts of our own, from a title to a page."""
    rng = random.Random(30)
    for i in range(500):
        words = [rng.choice(LEVELS), rng.choice(FIELDS), rng.choice(JOBS), rng.choice(TAILS)]
        title = " ".join(word for word in words if word)
        yield title if i % 5 else " ".join([title + "."] + rng.choices(SENTENCES, k=rng.randint(1, 40)))


def packed(ids):
    return struct.pack(f"<i{len(ids)}i", len(ids), *ids)


def hash_hex(chunks):
    return hashlib.sha256(b"".join(chunks)).hexdigest()


def record_sweep(encode, path):
    """One line a block of code points: first, last, hash of the ids of "a<c>b", hash of the words of a text in which
    <c> stands between two combining marks, which shows its combining class too (each word followed by a line end)."""
    normalizer = tokenizers.normalizers.BertNormalizer()
    splitter = tokenizers.pre_tokenizers.BertPreTokenizer()

    def words(text):
        return "".join(word + "\n" for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))).encode()

    with open(path, "w", encoding="ascii", newline="\n") as out:
        for first in range(0, 0x110000, BLOCK):
            chars = [chr(c) for c in range(first, first + BLOCK) if not 0xD800 <= c < 0xE000]
            of_ids = hash_hex(packed(encode("a" + char + "b")) for char in chars)
            of_words = hash_hex(words("A\u302e" + char + "\u1b44B") for char in chars)
            out.write(f"{first:06X}\t{first + BLOCK - 1:06X}\t{of_ids[:16]}\t{of_words[:16]}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=pathlib.Path, required=True)
    parser.add_argument("--onet", type=pathlib.Path, required=True)
    args = parser.parse_args()

    vocab = args.weights / "vocab.txt"
    tokenizer = tokenizers.BertWordPieceTokenizer(str(vocab), lowercase=True)._tokenizer
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.encode_special_tokens = True

    def encode(text):
        return tokenizer.encode(text).ids

    with open(HERE / "tokens.jsonl", "w", encoding="ascii", newline="\n") as out:
        for text in itertools.chain(adversarial(), postings()):
            out.write(json.dumps({"text": text, "ids": encode(text)}, separators=(",", ":")) + "\n")
    record_sweep(encode, HERE / "sweep.tsv")

    rows = (args.onet / "Alternate Titles.txt").read_text(encoding="utf-8").split("\n")[1:]
    titles = [row.split("\t")[1] for row in rows if row]
    summary = {
        "tokenizers": tokenizers.__version__,
        "max_tokens": MAX_TOKENS,
        "vocab_sha256": hashlib.sha256(vocab.read_bytes()).hexdigest(),
        "alternate_titles": {
            "release": "O*NET 30.1",
            "rows": len(titles),
            "sha256": hash_hex(packed(encode(title)) for title in titles),
        },
    }
    (HERE / "tokens.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
