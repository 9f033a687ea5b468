"""The one list of packages, held against what the programs really link and what the build really asks for."""

import os
import re
import subprocess

from harness import KPICTL, KPID, SOURCE, Case


def listed(name):
    with open(os.path.join(SOURCE, "packaging", f"packages.{name}"), encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def source_of(package):
    return run("dpkg-query", "-W", "-f", "${source:Package}", package)


class Packages(Case):
    def test_every_linked_library_comes_from_a_listed_source(self):
        sources = {source_of(package) for package in listed("build")}
        # The C and C++ runtimes come with the compiler.
        sources |= {source_of("libc6"), source_of("libstdc++6"), source_of("libgcc-s1")}
        for program in (KPID, KPICTL):
            needed = re.findall(r"NEEDED.*\[(.+)\]", run("readelf", "-d", program))
            self.assertTrue(needed)
            loaded = dict(re.findall(r"(\S+) => (\S+)", run("ldd", program)))
            for library in needed:
                if library.startswith("ld-linux"):
                    continue  # The loader itself: libc's.
                path = os.path.realpath(loaded.get(library, library))
                owner = run("dpkg", "-S", path) or run("dpkg", "-S", path.replace("/usr/lib", "/lib", 1))
                self.assertTrue(owner, f"{program} links {library} at {path}, which belongs to no package")
                package = owner.split(":")[0]
                self.assertIn(source_of(package), sources, f"{program} links {library} of {package}: "
                              "its development package is not in packaging/packages.build")

    def test_lists_are_sorted_and_disjoint_and_read_by_dev(self):
        seen = []
        for name in ("build", "test", "lint", "package", "coverage", "peers"):
            packages = listed(name)
            self.assertEqual(packages, sorted(packages), name)
            seen += packages
        self.assertEqual(len(seen), len(set(seen)))
        with open(os.path.join(SOURCE, "dev"), encoding="utf-8") as file:
            self.assertIn("packaging/packages.$list", file.read())
        with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
            self.assertIn("packaging/packages.build", file.read())
