"""vm - a virtual machine from the host's own files: no image, no KVM needed.

The host's packages that a small system needs, with all that they depend on,
become an initramfs together with a root of ours; QEMU runs it below a Debian
cloud kernel. What the guest says on its second serial line are the results.

SPDX-License-Identifier: ISC
"""
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

from support.program import die_with_us

PACKAGES = ["systemd", "libnss-systemd", "bash", "dash", "coreutils", "grep", "sed", "procps",
    "mount", "util-linux", "login", "passwd", "python3", "python3-pytest", "dbus"]
KERNEL = "linux-image-cloud-amd64"
# Never read inside, and half of the size.
LEFT_OUT = re.compile(r"^/usr/(share/(doc|man|locale|info|lintian|zsh|bash-completion|perl)"
    r"|lib/python3/dist-packages/(numpy|scipy|matplotlib|pandas)|lib/x86_64-linux-gnu/gconv)/"
    r"|/__pycache__/|^/usr/lib/python3\.\d+/(test|idlelib|lib2to3|tkinter)/|^/boot/|^/lib/modules/"
    r"|^/usr/lib/udev/hwdb|^/etc/(systemd/system|fstab|machine-id|hostname|hosts)")


def ask(*argv):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True,
        check=True).stdout


def closure(names):
    """These packages of the host and what they depend on, as far as it is there."""
    provides, depends = {}, {}
    rows = ask("dpkg-query", "-W", "-f",
        "${db:Status-Status}\t${Package}\t${Provides}\t${Pre-Depends}, ${Depends}\n")
    for row in rows.splitlines():
        status, name, gives, wants = row.split("\t")
        if status != "installed":
            continue
        # Of alternatives, all that are installed.
        depends[name] = re.findall(r"[a-z0-9][a-z0-9+.-]+(?=[\s,|:(]|$)",
            re.sub(r"\([^)]*\)|:\w+", "", wants))
        for given in [name] + re.findall(r"[a-z0-9][a-z0-9+.-]+", re.sub(r"\([^)]*\)", "", gives)):
            provides.setdefault(given, set()).add(name)
    found, left = set(), [n for n in names if n in provides]
    while left:
        for name in provides.get(left.pop(), ()):
            if name not in found:
                found.add(name)
                left += depends[name]
    return sorted(found)


def host_files(programs):
    """path -> where it is on this host, with the folders on the way."""
    files = set()
    for line in ask("dpkg-query", "-L", *closure(PACKAGES)).splitlines():
        if line.startswith("/") and not LEFT_OUT.search(line) and os.path.lexists(line):
            files.add(line)
    for program in programs:
        files.update(m for m in re.findall(r"(/\S+) \(", ask("ldd", program)))
    for name in list(files):
        if os.path.islink(name):
            target = os.path.realpath(name)
            if os.path.isfile(target):
                files.add(target)
    made = {}
    for name in files:
        # /lib/x is /usr/lib/x where /lib is a link.
        real = os.path.join(os.path.realpath(os.path.dirname(name)), os.path.basename(name))
        made[real] = Path(name)
    return made


class Archive:
    """A cpio archive as the kernel reads it (newc)."""

    def __init__(self, path):
        self.out = open(path, "wb")
        self.names = set()
        self.inode = 0

    def put(self, name, mode, data=b"", rdev=(0, 0)):
        name = name.strip("/")
        if name in self.names:
            return
        self.names.add(name)
        parent = os.path.dirname(name)
        if parent:
            self.put(parent, stat.S_IFDIR | 0o755)
        self.inode += 1
        path = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(path), 0)
        head = b"070701" + b"".join(b"%08x" % f for f in fields) + path
        self.out.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))

    def put_file(self, name, source):
        st = os.lstat(source)
        data = b""
        if stat.S_ISLNK(st.st_mode):
            data = os.fsencode(os.readlink(source))
        elif stat.S_ISREG(st.st_mode):
            data = Path(source).read_bytes()
        elif not stat.S_ISDIR(st.st_mode):
            return
        self.put(name, st.st_mode, data)

    def put_tree(self, root):
        for directory, folders, files in os.walk(root):
            for name in sorted(folders + files):
                path = Path(directory) / name
                self.put_file(str(path.relative_to(root)), path)

    def close(self):
        self.put("TRAILER!!!", 0)
        self.out.close()


def find_kernel(cache, given):
    """A bootable kernel file: the one given, or Debian's, unpacked below cache.
    Returns None with a reason."""
    if given:
        return Path(given), None
    found = sorted(cache.glob("boot/vmlinuz-*"))
    if found:
        return found[-1], None
    if not shutil.which("apt-get"):
        return None, "no apt-get to get a kernel with; give one by KERNEL=FILE"
    try:
        name = re.search(r"Depends: (linux-image-\S+)", ask("apt-cache", "depends", KERNEL))
        if not name:
            return None, f"the package lists know no {KERNEL}; apt-get update, or KERNEL=FILE"
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "-qq", "download", name.group(1)], cwd=cache, check=True,
            capture_output=True)
        package = next(cache.glob("linux-image-*.deb"))
        subprocess.run(["dpkg-deb", "-x", package, cache], check=True)
        package.unlink()
    except (subprocess.CalledProcessError, StopIteration) as e:
        return None, f"no kernel to be had ({e}); give one by KERNEL=FILE"
    found = sorted(cache.glob("boot/vmlinuz-*"))
    return (found[-1], None) if found else (None, f"{KERNEL} has no kernel")


# The root must be one that can be moved away: units have namespaces.
INIT = """#!/bin/sh
mount -t tmpfs -o mode=755,size=75% root /new
for d in /*; do [ $d = /new ] || cp -a $d /new/; done
mkdir -p /new/proc /new/sys /new/dev /new/run
exec switch_root /new /lib/systemd/systemd
"""


def boot(root, scratch, kernel, limit):
    """Runs the machine to its end. Returns what it said on its console and on
    its second line."""
    archive = Archive(scratch / "initramfs")
    (root / "new").mkdir()
    archive.put_tree(root)
    programs = [root / "usr/bin/faktotum", root / "usr/sbin/faktotum-server"]
    for name, source in host_files(programs).items():
        archive.put_file(name, source)
    archive.put("init", stat.S_IFREG | 0o755, INIT.encode())
    archive.put("dev/console", stat.S_IFCHR | 0o600, rdev=(5, 1))
    archive.close()
    size = (scratch / "initramfs").stat().st_size
    print(f"initramfs: {size >> 20} MiB, kernel {kernel.name}", flush=True)
    argv = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2",
        "-m", "1536", "-nodefaults", "-no-reboot", "-display", "none", "-kernel", kernel,
        "-initrd", scratch / "initramfs", "-serial", f"file:{scratch}/console",
        "-serial", f"file:{scratch}/results", "-append",
        "console=ttyS0 quiet panic=-1 rdinit=/init systemd.unified_cgroup_hierarchy=1 "
        "systemd.show_status=0"]
    p = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL,
        start_new_session=True, preexec_fn=die_with_us)
    try:
        p.wait(limit)
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()
        print(f"nothing more after {limit} s: the machine was switched off")
    return [(scratch / name).read_text("utf-8", "replace") if (scratch / name).exists() else ""
        for name in ("console", "results")]
