"""What a static file's answer says beside what it is. A page asks for two dozen of them."""

from wsgiref.headers import Headers


def add_static_headers(headers: Headers, path: str, url: str) -> None:
    """The policy of pages, in short, for what a browser shows by itself (a picture that may hold
    script); scripts, styles and faces heed none but that of the page that loads them."""
    headers["X-Content-Type-Options"] = "nosniff"
    if not path.endswith((".js", ".css", ".woff2")):
        headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
