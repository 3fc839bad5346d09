"""Run every benchmark and print its table."""

import sys

from bench import enumeration, floods, matching, pages, receipts, scale, video, waiting, weight


def main() -> int:
    for part in (weight, matching, receipts, pages, scale, enumeration, floods, waiting, video):
        part.main()
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
