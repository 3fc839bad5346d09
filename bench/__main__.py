"""Run every benchmark and print its table."""

import sys

from bench import enumeration, matching, pages, receipts, relay, scale, video, weight


def main() -> int:
    for part in (weight, matching, receipts, pages, scale, enumeration, video, relay):
        part.main()
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
