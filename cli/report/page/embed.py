#!/usr/bin/env python3
"""Puts a report's page together and prints it as C++: what is before the data, and what is behind.

    embed.py FUNCTION report.html NAME=FILE...

The C++ is that of a function of page.h.
In report.html {{NAME}} stands for a file's text, {{DATA}} for what the program writes, and {{CSP_NAME}} for
the hash by which the page's Content-Security-Policy lets that script run, and no other.
"""
import base64
import hashlib
import html
import sys

PIECE = 8000  # of a C++ string; compilers limit the length of one


def read(path):
    with open(path, encoding="utf-8") as file:
        # A source map lies beside the library, not beside a report.
        return "".join(line for line in file if not line.startswith("//# sourceMappingURL="))


def parts_by_name(arguments):
    """The texts of NAME=FILE; those of one name one behind the other."""
    parts = {}
    for argument in arguments:
        name, path = argument.split("=", 1)
        parts[name] = parts.get(name, "") + read(path).rstrip("\n") + "\n"
    return parts


def put_together(page, parts):
    for name, text in parts.items():
        if name == "LICENCE":
            text = html.escape(text)
        elif "</script" in text.lower():
            sys.exit(f"{name}: holds </script, which would end it in the page")
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        page = page.replace("{{CSP_" + name + "}}", f"'sha256-{digest}'").replace("{{" + name + "}}", text)
    return page.split("{{DATA}}")


def literal(text):
    data = text.encode()
    pieces = [data[i:i + PIECE] for i in range(0, len(data), PIECE)]
    return "\n".join('    "' + "".join(escaped(byte) for byte in piece) + '"' for piece in pieces)


def escaped(byte):
    if 32 <= byte < 127 and chr(byte) not in '"\\?':
        return chr(byte)
    return f"\\{byte:03o}"


def main():
    before, behind = put_together(read(sys.argv[2]), parts_by_name(sys.argv[3:]))
    print(f'#include "cli/report/page.h"\n\nnamespace numasim {{\n\nPage {sys.argv[1]}() {{')
    for name, text in [("kBefore", before), ("kAfter", behind)]:
        print(f"  static constexpr char {name}[] =\n{literal(text)};")
    print("  return {{kBefore, sizeof(kBefore) - 1}, {kAfter, sizeof(kAfter) - 1}};\n}\n\n}  // namespace numasim")


main()
