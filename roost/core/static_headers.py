"""What a static file's answer says beside what it is. A page asks for two dozen of them."""

from wsgiref.headers import Headers


def add_static_headers(headers: Headers, path: str, url: str) -> None:
    """The policy of pages, in short, for what a browser shows by itself (a picture that may hold
    script); scripts, styles and faces heed none but that of the page that loads them."""
    headers["X-Content-Type-Options"] = "nosniff"
    if path.endswith(".js"):
        # A module is UTF-8 whatever is said (HTML, "fetch a single module script"), and so are our
        # pages, which decides for other scripts.
        headers["Content-Type"] = "text/javascript"
    if "immutable" in headers.get("Cache-Control", ""):
        headers["Cache-Control"] = "max-age=31536000, immutable"
    if not path.endswith((".js", ".css", ".woff2")):
        headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
