"""The Debian package: its files and fields, and kpid installed by dpkg and started from it.

It is installed into a copy of this machine that lives in a mount namespace: an overlay, so that nothing of it
reaches the machine itself.
"""

import glob
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

SOURCE = os.environ["KPID_SOURCE_DIR"]
BUILD = os.environ["KPID_BUILD_DIR"]
PATIENCE = 60.0

# Everything but the examples, with the mode.
FILES = {
    "/etc/kpid/kpid.yaml": "-rw-r--r--",
    "/lib/systemd/system/kpid.service": "-rw-r--r--",
    "/usr/bin/kpictl": "-rwxr-xr-x",
    "/usr/bin/kpid": "-rwxr-xr-x",
    "/usr/lib/sysusers.d/kpid.conf": "-rw-r--r--",
    "/usr/share/doc/kpid/changelog.gz": "-rw-r--r--",
    "/usr/share/doc/kpid/copyright": "-rw-r--r--",
    "/usr/share/kpid/grafana/dashboards/kpid-alerts.json": "-rw-r--r--",
    "/usr/share/kpid/grafana/dashboards/kpid-daemon.json": "-rw-r--r--",
    "/usr/share/kpid/grafana/dashboards/kpid-kpi.json": "-rw-r--r--",
    "/usr/share/kpid/grafana/dashboards/kpid-overview.json": "-rw-r--r--",
    "/usr/share/kpid/grafana/provisioning/dashboards/kpid.yaml": "-rw-r--r--",
    "/usr/share/kpid/grafana/provisioning/datasources/kpid.yaml": "-rw-r--r--",
    "/usr/share/man/man1/kpictl.1.gz": "-rw-r--r--",
    "/usr/share/man/man1/kpid.1.gz": "-rw-r--r--",
    "/usr/share/man/man5/kpid.yaml.5.gz": "-rw-r--r--",
}


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def package():
    found = glob.glob(os.path.join(BUILD, "package", "kpid_*.deb"))
    assert len(found) == 1, f"one package is expected in {BUILD}/package: {found}"
    return found[0]


def namespaces():
    """How to get a mount namespace: as root, else as root of a user namespace."""
    return ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--map-root-user", "--mount"]


class Contents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="kpid-package-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.root = os.path.join(cls.folder, "root")
        run("dpkg-deb", "-x", package(), cls.root)
        cls.control = os.path.join(cls.folder, "control")
        run("dpkg-deb", "-e", package(), cls.control)

    def field(self, name):
        return run("dpkg-deb", "-f", package(), name).strip()

    def test_holds_these_files_owned_by_root(self):
        files = {}
        for line in run("dpkg-deb", "-c", package()).splitlines():
            mode, owner, _, _, _, path = line.split(None, 5)
            self.assertEqual(owner, "root/root", line)
            if mode.startswith("d"):
                self.assertEqual(mode, "drwxr-xr-x", line)
            else:
                self.assertNotIn(" -> ", path)
                files[path.removeprefix(".")] = mode
        examples = {path: mode for path, mode in files.items() if "/doc/kpid/examples/" in path}
        self.assertIn("/usr/share/doc/kpid/examples/minimal/kpid.yaml", examples)
        self.assertEqual(set(examples.values()), {"-rw-r--r--"})
        self.assertEqual({path: mode for path, mode in files.items() if path not in examples}, FILES)

    def test_fields_say_what_it_is_and_needs(self):
        with open(os.path.join(SOURCE, "CMakeLists.txt"), encoding="utf-8") as file:
            version = re.search(r"project\(kpid VERSION (\S+)", file.read())[1]
        self.assertEqual(self.field("Package"), "kpid")
        self.assertEqual(self.field("Version"), f"{version}-1")
        self.assertEqual(self.field("Architecture"), run("dpkg", "--print-architecture").strip())
        needed = [need.strip().split(" ")[0] for need in re.split(r"[,|]", self.field("Depends"))]
        self.assertIn("init-system-helpers", needed)
        # Of every library that a program links directly.
        for program in ("kpid", "kpictl"):
            path = os.path.join(self.root, "usr", "bin", program)
            linked = re.findall(r"NEEDED.*\[(.+)\]", run("readelf", "-d", path))
            loaded = dict(re.findall(r"(\S+) => (\S+)", run("ldd", path)))
            for library in linked:
                real = os.path.realpath(loaded.get(library, "/lib64/" + library))
                search = subprocess.run(["dpkg", "-S", real, real.removeprefix("/usr")], capture_output=True, text=True)
                owner = search.stdout.split(":")[0]
                names = {owner, *re.findall(r"[\w.+-]+", run("dpkg-query", "-W", "-f", "${Provides}", owner))}
                self.assertTrue(names & set(needed), f"{program} links {library} of {owner}: {needed}")

    def test_programs_are_stripped_and_hardened(self):
        for program in ("kpid", "kpictl"):
            path = os.path.join(self.root, "usr", "bin", program)
            kind = run("file", path)
            self.assertIn(", stripped", kind)
            self.assertIn("pie executable", kind)
            dynamic = run("readelf", "-d", path)
            self.assertIn("BIND_NOW", dynamic)
            self.assertNotIn("RUNPATH", dynamic)
            self.assertNotIn("RPATH", dynamic)

    def test_configuration_is_a_conffile_and_without_findings(self):
        with open(os.path.join(self.control, "conffiles"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "/etc/kpid/kpid.yaml\n")
        config = os.path.join(self.root, "etc", "kpid", "kpid.yaml")
        self.assertEqual(run(os.path.join(self.root, "usr", "bin", "kpictl"), "check", "--strict", config), "")

    def test_scripts_are_shell_and_end_at_errors(self):
        for name in ("postinst", "prerm", "postrm"):
            path = os.path.join(self.control, name)
            self.assertEqual(os.stat(path).st_mode & 0o7777, 0o755)
            run("sh", "-n", path)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            self.assertTrue(text.startswith("#!/bin/sh\n"))
            self.assertIn("\nset -e\n", text)
        self.assertEqual(sorted(os.listdir(self.control)),
                         ["conffiles", "control", "md5sums", "postinst", "postrm", "prerm"])

    def test_manual_pages_are_read_without_a_warning(self):
        for page in (path for path in FILES if "/man/" in path):
            done = subprocess.run(["man", "--warnings", "-l", self.root + page], capture_output=True, text=True,
                                  timeout=60, env=dict(os.environ, MANWIDTH="100", LC_ALL="C.UTF-8"))
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)
            self.assertRegex(done.stdout, r"NAME\n +\S+ - ")

    def test_manual_pages_name_every_option_and_key(self):
        def read(page):
            return re.sub(r"\s+", " ", run("man", "--no-hyphenation", "-l", self.root + page,
                                            env=dict(os.environ, MANWIDTH="100", LC_ALL="C.UTF-8")))
        for program in ("kpid", "kpictl"):
            text = read(f"/usr/share/man/man1/{program}.1.gz")
            path = os.path.join(self.root, "usr", "bin", program)
            asked = [[]]
            while asked:
                command = asked.pop()
                said = run(path, *command, "--help")
                for option in re.findall(r"^  (?:-\w,)?(--[\w.-]+)", said, re.MULTILINE):
                    self.assertIn(option, text, f"{program} {command}")
                below = said.partition("\nSubcommands:\n")[2]
                for name in re.findall(r"^  (\w+)", below, re.MULTILINE):
                    self.assertIn(" ".join([program, *command, name]), text)
                    asked.append([*command, name])
        text = read("/usr/share/man/man5/kpid.yaml.5.gz")
        with open(os.path.join(SOURCE, "src", "config", "decode_main.cc"), encoding="utf-8") as file:
            decoder = re.sub(r"\.later\(\{[^}]*\}\)", "", file.read())
        keys = re.findall(r"(?:fields(?:\.\w+\(|, ))\"([a-z_]+)\"", decoder)
        with open(os.path.join(SOURCE, "src", "config", "load.cc"), encoding="utf-8") as file:
            sections = re.search(r"kMainKeys\{(.*?)\}", file.read(), re.DOTALL)[1]
        keys += re.findall(r"\"([a-z_]+)\"", sections)
        self.assertGreater(len(keys), 30)
        for key in keys:
            self.assertRegex(text, rf"\b{key}\b", "kpid.yaml(5) does not tell of a key")


class Installed(unittest.TestCase):
    """As dpkg installs it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kpid-package-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        for name in ("upper", "work", "root", "out"):
            os.mkdir(os.path.join(self.folder, name))
        # An overlay of the machine, seen in a namespace that this shell holds until its input ends.
        script = """
            set -e
            mount -t tmpfs none work && mkdir work/upper work/work
            mount -t overlay none -o lowerdir=/,upperdir=work/upper,workdir=work/work root
            mount --rbind /proc root/proc && mount --rbind /dev root/dev && mount -t tmpfs none root/run
            rm -rf root/etc/kpid root/var/lib/kpid
            echo ready
            exec cat >/dev/null
        """
        self.holder = subprocess.Popen([*namespaces(), "--propagation", "private", "sh", "-c", script], cwd=self.folder,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.release)
        self.assertEqual(self.holder.stdout.readline(), "ready\n")
        enter = ["nsenter", f"--target={self.holder.pid}", "--mount"]
        if os.getuid() != 0:
            enter += ["--user", "--preserve-credentials"]
        self.inside = [*enter, "--", "chroot", os.path.join(self.folder, "root")]
        with open(package(), "rb") as source:
            subprocess.run([*self.inside, "sh", "-c", "cat >/kpid.deb"], stdin=source, check=True, timeout=60)
        self.env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", PATH="/usr/sbin:/usr/bin:/sbin:/bin")
        self.in_root("dpkg", "-i", "/kpid.deb")

    def release(self):
        self.holder.stdin.close()
        self.holder.wait(30)
        self.holder.stdout.close()

    def in_root(self, *command):
        return run(*self.inside, *command, env=self.env)

    def test_makes_the_user_enables_the_unit_and_starts_nothing(self):
        self.assertRegex(self.in_root("getent", "passwd", "kpid"), r"^kpid:.*:/var/lib/kpid:/usr/sbin/nologin\n$")
        self.in_root("test", "-L", "/etc/systemd/system/multi-user.target.wants/kpid.service")
        self.in_root("systemd-analyze", "verify", "--man=no", "/lib/systemd/system/kpid.service")
        self.assertEqual(self.in_root("dpkg", "--verify", "kpid"), "")
        self.in_root("test", "!", "-e", "/var/lib/kpid")

    def test_starts_with_its_configuration_and_stops(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # As the unit would: state folder, user, command line, and a free port.
        self.in_root("install", "-d", "-o", "kpid", "-g", "kpid", "-m", "700", "/var/lib/kpid")
        unit = self.in_root("cat", "/lib/systemd/system/kpid.service")
        command = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)[1].split()
        kpid = subprocess.Popen([*self.inside, "setpriv", "--reuid=kpid", "--regid=kpid", "--clear-groups", *command,
                                 f"--web.listen-address=127.0.0.1:{port}"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            self.assertEqual(self.wait_ready(kpid, port), 200)
            kpis = self.in_root("kpictl", "kpi", "list", f"--server=http://127.0.0.1:{port}")
            self.assertIn("memory_available_ratio", kpis)
        finally:
            kpid.send_signal(signal.SIGTERM)
            said, _ = kpid.communicate(timeout=60)
        self.assertEqual(kpid.returncode, 0, said)
        self.assertEqual(self.in_root("stat", "-c", "%U", "/var/lib/kpid").strip(), "kpid")

    def wait_ready(self, kpid, port):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and kpid.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.request("GET", "/-/ready")
                status = connection.getresponse().status
                connection.close()
                if status == 200:
                    return status
            except OSError:
                pass
            time.sleep(0.05)
        return None

    def test_keeps_an_edit_over_an_upgrade_and_goes_with_a_purge(self):
        self.in_root("sh", "-c", "echo '# mine' >>/etc/kpid/kpid.yaml; mkdir /var/lib/kpid; touch /var/lib/kpid/x")
        self.in_root("dpkg", "--force-confdef", "--force-confold", "-i", "/kpid.deb")
        self.assertIn("# mine", self.in_root("cat", "/etc/kpid/kpid.yaml"))
        self.in_root("dpkg", "--remove", "kpid")
        self.in_root("test", "-e", "/etc/kpid/kpid.yaml", "-a", "-e", "/var/lib/kpid/x", "-a", "!", "-e", "/usr/bin/kpid")
        self.in_root("dpkg", "--purge", "kpid")
        self.in_root("test", "!", "-e", "/etc/kpid", "-a", "!", "-e", "/var/lib/kpid")


if __name__ == "__main__":
    unittest.main()
