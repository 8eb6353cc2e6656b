#!/usr/bin/env python3
"""Writes a C file that holds the bytes of another: embed.py NAME INPUT OUTPUT."""
import sys

name, source, target = sys.argv[1:]
data = open(source, "rb").read()
with open(target, "w", encoding="ascii") as out:
    out.write('#include "server/api/embedded.h"\n\n')
    out.write(f"const char jc_embedded_{name}[] = {{\n")
    for i in range(0, len(data), 20):
        out.write("".join(f"{byte}," for byte in data[i:i + 20]) + "\n")
    out.write("0};\n")
    out.write(f"const size_t jc_embedded_{name}_n = sizeof jc_embedded_{name} - 1;\n")
