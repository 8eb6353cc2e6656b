#!/usr/bin/env python3
"""The layers of src/: a file includes only headers of its own folder and of those its folder may use."""
import pathlib
import re
import sys

# folder -> the folders and the libraries it may use
LAYERS = {
    "base": (set(), {"nettle"}),
    "conf": ({"base"}, {"yaml"}),
    "text": ({"base"}, {"utf8proc"}),
    "linalg": ({"base"}, {"cblas"}),
    "dnn": ({"base", "linalg"}, {"dnnl"}),
    "cuda": ({"base", "linalg", "dnn"}, {"cuda"}),
    "torch": ({"base"}, {"torch"}),
    "data": ({"base", "text"}, {"zlib"}),
    "artifact": ({"base"}, {"jansson"}),
    "model": ({"base", "text", "linalg", "dnn", "cuda", "torch", "artifact"}, set()),
    "server": ({"base", "conf", "text", "cuda", "artifact", "model"}, {"microhttpd", "jansson", "zlib"}),
    "trainer": ({"base", "conf", "text", "linalg", "dnn", "cuda", "torch", "data", "artifact", "model"}, {"jansson"}),
}
# library -> its headers
LIBRARIES = {
    "nettle": r"nettle/.*",
    "yaml": r"yaml\.h",
    "utf8proc": r"utf8proc\.h",
    "cblas": r"cblas\.h",
    "dnnl": r"(oneapi/dnnl/)?dnnl.*\.h",
    "cuda": r"(cuda|cublas).*\.h",
    "torch": r"(torch|ATen|c10|caffe2)/.*",
    "jansson": r"jansson\.h",
    "zlib": r"zlib\.h",
    "microhttpd": r"microhttpd\.h",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def check(path, layer):
    folders, libraries = LAYERS[layer]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, header = match.groups()
        if quote == '"':
            folder = header.split("/")[0]
            if "/" in header and folder != layer and folder not in folders:
                yield f"{path}:{number}: {layer}/ may not use {folder}/ ({header})"
            if "/" not in header and header != "version.h":
                yield f'{path}:{number}: include "{layer}/{header}", with the folder'
        else:
            for library, pattern in LIBRARIES.items():
                if re.fullmatch(pattern, header) and library not in libraries:
                    yield f"{path}:{number}: {layer}/ may not use {library} ({header})"


def main():
    root = pathlib.Path(sys.argv[1])
    problems = []
    n_files = 0
    for path in sorted((root / "src").glob("*/**/*")):
        if path.suffix not in (".c", ".h", ".cpp", ".cu"):
            continue
        layer = path.relative_to(root / "src").parts[0]
        barrier = (layer, path.name) == ("dnn", "guard.cpp")
        if path.suffix in (".cpp", ".cu") and layer not in ("torch", "cuda") and not barrier:
            problems.append(f"{path}: C++ stays in torch/, cuda/ and the barrier of dnn/")
        n_files += 1
        if layer in LAYERS:
            problems.extend(check(path, layer))
        else:
            problems.append(f"{path}: no layer '{layer}'")
    print("\n".join(problems))
    print(f"{n_files} files, {len(problems)} problems")
    return 1 if problems or n_files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
