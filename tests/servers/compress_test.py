#!/usr/bin/python3
"""xz -T2 and pigz -p8: what is packed under libgreen is unpacked natively and the other way
round, byte for byte, and packs to the same bytes as natively."""

import random

import harness

SIZE = 3 << 20
PACKERS = (["xz", "-T2", "-1", "--block-size=512KiB"], ["pigz", "-p8", "-n", "-T"])


def text():
    """Half words, half noise, so that blocks differ in cost."""
    words = random.Random(1)
    half = b" ".join(b"%x" % words.getrandbits(16) for _ in range(SIZE // 10))
    return half + words.randbytes(SIZE // 2)


def same(got, want, what):
    if got != want:
        raise harness.Failed(f"{what}: {len(got)} bytes, not the {len(want)} expected")


def scenario(run):
    plain, packed = run.home / "plain", run.home / "packed"
    content = text()
    plain.write_bytes(content)
    for packer in PACKERS:
        native = run.output([*packer, "-c", plain])
        green = run.output([*packer, "-c", plain], green=True)
        run.check_started(run.live[-1])
        same(green, native, f"{packer[0]} packed")
        packed.write_bytes(green)
        with packed.open("rb") as data:
            unpacked = run.output([*packer[:2], "-d", "-c"], green=True, stdin=data)
        same(unpacked, content, f"{packer[0]} unpacked")


harness.main({"xz": "xz-utils", "pigz": "pigz"}, scenario)
