# SPDX-License-Identifier: MIT
"""Namespaces of the test run's own, for root and for everybody else.

Who is not root takes a user namespace as well, in which all rights are had over what is in it.
Where a system does not let its users do so, that is an error with a reason: nothing is skipped.
"""
import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_NOSUID = 2
MS_NODEV = 4
MS_BIND = 4096
MS_REC = 1 << 14
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

IS_ROOT = os.getuid() == 0  # before any namespace, where everybody may be

libc = ctypes.CDLL(None, use_errno=True)


def enter(kind, name, become_root):
    """Moves this process and all that it starts from now on into a namespace of that kind.

    Only while there is one thread. `become_root` gives what is started the rights too; else those
    stay with this process, and what it starts is the person that it was.
    """
    uid, gid = os.getuid(), os.getgid()
    try:
        if libc.unshare(kind if IS_ROOT else kind | CLONE_NEWUSER) != 0:
            raise last_error("unshare")
        if not IS_ROOT:
            map_ids(0 if become_root else uid, uid, 0 if become_root else gid, gid)
        if kind & CLONE_NEWNS:  # what is mounted here is seen here only
            mount_call(None, "/", None, MS_REC | MS_PRIVATE, None)
    except OSError as error:
        hint = "" if IS_ROOT else ("; who is not root needs user namespaces, which this system "
                                   "forbids (see sysctl user.max_user_namespaces and "
                                   "kernel.unprivileged_userns_clone)")
        raise OSError(error.errno, f"these tests need a {name} namespace: {error}{hint}") from error


def map_ids(uid_inside, uid, gid_inside, gid):
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid_inside} {uid} 1"),
                       ("gid_map", f"{gid_inside} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def last_error(what):
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


def mount_call(what, where, kind, flags, options):
    words = [None if word is None else os.fsencode(word) for word in (what, where, kind, options)]
    if libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]) != 0:
        raise last_error(f"mount at {where}")


def mount_memory(path, size):
    """A file system of so many bytes."""
    mount_call("freshet-test", path, "tmpfs", MS_NOSUID | MS_NODEV, f"size={size},mode=0755")


def unmount(path):
    if libc.umount2(os.fsencode(path), MNT_DETACH) != 0:
        raise last_error(f"umount of {path}")
