#!/usr/bin/env python3
"""man_page.py SOURCE PROGRAMS: prints a manual page's scdoc source, its options filled in.

A line `@options PROGRAM [SUBCOMMAND...]@` becomes what that program says of its options with --help, so that a
manual page cannot tell another story than the program.
"""

import re
import subprocess
import sys


def words(text):
    """What scdoc would take as markup, escaped."""
    return re.sub(r"([\\_*#`~<\[])", r"\\\1", text)


def options(program, subcommand):
    done = subprocess.run([program, *subcommand, "--help"], capture_output=True, text=True, check=True)
    names = None
    for line in done.stdout.splitlines():
        option = re.match(r"  (-\S+|[A-Z][A-Z.]*)(?: (.*?))?(?:  +(.*))?$", line)
        if option:
            name, value, text = option.groups()
            names = ", ".join(f"*{words(part)}*" for part in name.split(","))
            if value:
                names += " " + words(value.strip())
            yield names
            if text:
                yield "\t" + words(text) + "\n"
        elif names and line.startswith(" " * 20):
            yield "\t" + words(line.strip()) + "\n"
        else:
            names = None


def main():
    source, programs = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        for line in file:
            asked = re.match(r"@options (\S+)((?: \S+)*)@$", line)
            if asked:
                print("\n".join(options(f"{programs}/{asked[1]}", asked[2].split())))
            else:
                print(line, end="")


main()
