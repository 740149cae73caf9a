"""Values of a job in files: `files:`.

SPDX-License-Identifier: ISC
"""
import base64
import os

import pytest

from support.waiting import wait_for

PHOTO = {"env": "PHOTO", "from": "{args.0.photo}"}


def test_a_file_holds_the_value(bench):
    """Bytes of any kind by base64, text as it is, other JSON compact; the
    mode is as asked, whatever the umask; all is gone afterwards."""
    out = bench.scratch / "out"
    out.mkdir()
    program = bench.script("h", f'cp "$PHOTO" {out}/photo; cp "$NOTE" {out}/note; cp "$LIST" {out}/list\n'
        f'stat -c %a "$PHOTO" "$NOTE" >{out}/modes; echo "$NOTE" >{out}/path')
    photo = bytes(range(256)) * 4000  # more than an argument could hold
    bench.run({"t": {"exec": [program], "umask": "077", "files": [
        dict(PHOTO, decode="base64", mode="0444"),
        {"env": "NOTE", "from": "{custom.note}", "name": "note.txt"},
        {"env": "LIST", "from": "{args.0.list}"}]}})
    jid = bench.push("t", {"photo": base64.b64encode(photo).decode(), "list": [1.0, {"a": None}]},
        custom={"note": "é\n\"x\""})
    bench.acked(jid)
    assert (out / "photo").read_bytes() == photo
    assert (out / "note").read_text() == "é\n\"x\""
    assert (out / "list").read_text() == '[1.0,{"a":null}]'
    assert (out / "modes").read_text().split() == ["444", "600"]
    path = (out / "path").read_text().strip()
    assert path.endswith("/note.txt")
    wait_for("the file to be removed", lambda: not os.path.exists(path), 10)


@pytest.mark.parametrize("row, argument, word", [
    (PHOTO, {}, "missing"), (PHOTO, {"photo": None}, "null"),
    (dict(PHOTO, decode="base64"), {"photo": "no base64!"}, "base64"),
    (dict(PHOTO, decode="base64"), {"photo": 7}, "string")])
def test_a_value_that_does_not_fit_fails_the_job(bench, row, argument, word):
    """A missing value, or one that cannot be decoded, is BadArgument: the
    program does not run with an empty file."""
    ran = bench.scratch / "ran"
    bench.run({"t": {"exec": [bench.script("h", f"touch {ran}")], "files": [row]}})
    fail = bench.failed(bench.push("t", argument))
    assert fail["errtype"] == "BadArgument"
    assert "PHOTO" in fail["message"] and word in fail["message"]
    assert not ran.exists()
