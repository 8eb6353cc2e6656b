#!/usr/bin/env python3
"""Writes a C file that holds the bytes of others, with their hashes: embed.py OUTPUT INPUT..."""
import hashlib
import pathlib
import re
import sys

target, *sources = map(pathlib.Path, sys.argv[1:])
with open(target, "w", encoding="ascii") as out:
    out.write('/* Made by embed.py. */\n#include "server/api/embedded.h"\n')
    for source in sources:
        data, name = source.read_bytes(), re.sub(r"\W", "_", source.name)
        out.write(f"\nstatic const unsigned char data_{name}[] = {{\n")
        for i in range(0, len(data), 20):
            out.write("".join(f"{byte}," for byte in data[i:i + 20]) + "\n")
        out.write(f"0}};\nconst struct jc_embedded jc_embedded_{name} = {{\n    .data = (const char *)data_{name}, .n = {len(data)},\n"
                  f'    .hash = "{hashlib.sha256(data).hexdigest()[:32]}"}};\n')
