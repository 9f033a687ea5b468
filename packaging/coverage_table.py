#!/usr/bin/env python3
"""coverage_table.py SUMMARY: gcovr's JSON summary as one line a room."""

import collections
import json
import sys


def room_of(path):
    parts = path.split("/")
    return parts[2] if parts[0] == "include" else parts[1]


def percent(part, whole):
    return f"{100 * part / whole:6.1f} %" if whole else "      - "


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        summary = json.load(file)
    rooms = collections.defaultdict(lambda: collections.Counter(files=0))
    for each in summary["files"]:
        for room in (room_of(each["filename"]), "all"):
            rooms[room]["files"] += 1
            for key in ("line_covered", "line_total", "branch_covered", "branch_total"):
                rooms[room][key] += each[key]
    print(f"{'ROOM':<10}  {'FILES':>5}  {'LINES':>6}  {'RUN':>8}  {'BRANCHES':>8}  {'RUN':>8}")
    for room in sorted(rooms, key=lambda name: (name == "all", name)):
        counts = rooms[room]
        print(f"{room:<10}  {counts['files']:>5}  {counts['line_total']:>6}  "
              f"{percent(counts['line_covered'], counts['line_total'])}  {counts['branch_total']:>8}  "
              f"{percent(counts['branch_covered'], counts['branch_total'])}")


main()
