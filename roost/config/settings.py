"""Every setting of Roost, in one flat file. This is the only place that reads the environment."""

import difflib
import os
import secrets
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from environs import Env, EnvError

from roost.core.static_headers import add_static_headers
from roost.video.turn_client import parse_url

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

KNOWN_VARIABLES = {
    "ROOST_DATA_DIR",
    "ROOST_HOST",
    "ROOST_PORT",
    "ROOST_ORIGIN",
    "ROOST_SECRET_KEY",
    "ROOST_SECRET_KEY_FILE",
    "ROOST_DATABASE_URL",
    "ROOST_REDIS_URL",
    "ROOST_SMTP_URL",
    "ROOST_MAIL_FROM",
    "ROOST_TURN_URL",
    "ROOST_TURN_SECRET",
    "ROOST_TRUSTED_PROXIES",
    "ROOST_BREACHED_PASSWORDS",
    "ROOST_DEMO",
}


def stop(sentence: str) -> Any:
    """End the start with one clear line."""
    sys.stderr.write(f"roost: {sentence}\n")
    raise SystemExit(2)


for name in sorted(os.environ):
    if name.startswith("ROOST_") and name not in KNOWN_VARIABLES:
        close = difflib.get_close_matches(name, KNOWN_VARIABLES, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        stop(f"there is no setting named {name}.{hint}")

try:
    ROOST_DEMO = env.bool("ROOST_DEMO", False)
    ROOST_PORT = env.int("ROOST_PORT", 8000)
except EnvError as error:
    stop(str(error))

ROOST_DATA_DIR = Path(env.str("ROOST_DATA_DIR", "data")).expanduser().resolve()
ROOST_HOST = env.str("ROOST_HOST", "127.0.0.1")
if not 0 < ROOST_PORT < 65536:
    stop(f"ROOST_PORT is {ROOST_PORT}, but a port is a number from 1 to 65535.")

ROOST_ORIGIN = env.str("ROOST_ORIGIN", f"http://127.0.0.1:{ROOST_PORT}").rstrip("/")
_origin = urlsplit(ROOST_ORIGIN)
if _origin.scheme not in {"http", "https"} or not _origin.hostname or _origin.path:
    stop(f"ROOST_ORIGIN is {ROOST_ORIGIN!r}, but it must look like https://portal.example.com.")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
ORIGIN_IS_SECURE = _origin.scheme == "https"
if not ORIGIN_IS_SECURE and _origin.hostname not in LOOPBACK:
    stop("ROOST_ORIGIN must begin with https:// unless it names this machine (127.0.0.1).")
if ROOST_DEMO and ROOST_HOST not in LOOPBACK:
    stop("ROOST_DEMO serves this machine only: leave ROOST_HOST at 127.0.0.1.")
if ROOST_DEMO and _origin.hostname not in LOOPBACK:
    stop("ROOST_DEMO serves this machine only: leave ROOST_ORIGIN out.")


def _secret_key() -> str:
    """The configured key, or one made once and kept in the data folder."""
    if named := env.str("ROOST_SECRET_KEY_FILE", ""):
        try:
            return Path(named).read_text().strip() or stop(f"{named} is empty.")
        except OSError as error:
            stop(f"ROOST_SECRET_KEY_FILE cannot be read: {error.strerror}.")
    if key := env.str("ROOST_SECRET_KEY", ""):
        return key if len(key) >= 32 else stop("ROOST_SECRET_KEY must have 32 characters or more.")
    path = ROOST_DATA_DIR / "secret-key"
    try:
        ROOST_DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
        except FileExistsError:
            pass
        return path.read_text().strip()
    except OSError as error:
        return stop(f"the data folder {ROOST_DATA_DIR} cannot be used: {error.strerror}.")


SECRET_KEY = _secret_key()
DEBUG = False
ALLOWED_HOSTS = [_origin.hostname] + (
    [] if ORIGIN_IS_SECURE else ["127.0.0.1", "localhost", "[::1]"]
)
ROOST_TRUSTED_PROXIES = [
    p.strip() for p in env.str("ROOST_TRUSTED_PROXIES", "").split(",") if p.strip()
]
for proxy in ROOST_TRUSTED_PROXIES:
    try:
        ip_network(proxy)
    except ValueError:
        stop(f"ROOST_TRUSTED_PROXIES: {proxy!r} names no proxy. Write an address or a network.")

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "channels",
    "roost.core",
    "roost.audit",
    "roost.outbox",
    "roost.practices",
    "roost.accounts",
    "roost.staff",
    "roost.clients",
    "roost.scheduling",
    "roost.video",
    "roost.billing",
    "roost.portal",
    "roost.office",
    "roost.demo",
]

MIDDLEWARE = [
    # Static files leave with the few headers that mean something for them (roost.core.static).
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "roost.core.middleware.RequestMiddleware",
    "roost.practices.middleware.PracticeMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "roost.accounts.middleware.SignInMiddleware",
    "roost.accounts.visits.SignUpMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "roost.staff.middleware.StaffMiddleware",
]

ROOT_URLCONF = "roost.config.urls"
ASGI_APPLICATION = "roost.config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "roost.staff.context.door",
                "roost.portal.context.person",
            ],
        },
    }
]
# htmx 2 fragments and forms alike go through one small renderer of our own (core/field.html).
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_database_url = env.str("ROOST_DATABASE_URL", f"sqlite:///{ROOST_DATA_DIR / 'roost.sqlite3'}")
try:
    _database: dict[str, Any] = dict(dj_database_url.parse(_database_url, conn_max_age=None))
except (ValueError, KeyError):
    stop("ROOST_DATABASE_URL is not an address of a PostgreSQL or SQLite database.")
if _database["ENGINE"].endswith("sqlite3"):
    # Figures behind these choices: docs/adr/0002-databases.md
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
        ),
    }
    _database["CONN_MAX_AGE"] = None
elif not _database["ENGINE"].endswith("postgresql"):
    stop("ROOST_DATABASE_URL must name a PostgreSQL or SQLite database.")
else:
    # After a restart of PostgreSQL every thread still holds a connection that is dead.
    _database["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": _database}

ROOST_REDIS_URL = env.str("ROOST_REDIS_URL", "")
# Messages that may wait for one socket; with Redis, for all sockets of a process together.
LAYER_CAPACITY = 1000
CHANNEL_LAYERS: dict[str, Any] = {
    "default": (
        {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            # What browsers say to each other goes through it: whoever looks into it reads who is
            # in a room by number, and nothing of what is said.
            "CONFIG": {
                "hosts": [ROOST_REDIS_URL],
                "symmetric_encryption_keys": [SECRET_KEY],
                "capacity": LAYER_CAPACITY,
            },
        }
        if ROOST_REDIS_URL
        else {"BACKEND": "roost.core.layer.MemoryLayer", "CONFIG": {"capacity": LAYER_CAPACITY}}
    )
}

AUTH_USER_MODEL = "accounts.Account"
AUTHENTICATION_BACKENDS = ["roost.accounts.backend.PracticeBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
ROOST_BREACHED_PASSWORDS = env.str("ROOST_BREACHED_PASSWORDS", "")

SESSION_ENGINE = "roost.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = ORIGIN_IS_SECURE
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_SECURE = ORIGIN_IS_SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "roost.config.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [ROOST_ORIGIN]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

SECURE_PROXY_SSL_HEADER = None
SECURE_HSTS_SECONDS = 31_536_000 if ORIGIN_IS_SECURE else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# "strict-origin" keeps a mailed link's token out of every Referer; unlike "no-referrer" it leaves
# the Origin header of a form whole, which the CSRF check reads.
SECURE_REFERRER_POLICY = "strict-origin"
_socket_origin = ROOST_ORIGIN.replace("http", "ws", 1)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "media-src": ["'self'", "blob:"],
        "connect-src": ["'self'", _socket_origin],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# A form of Roost is small. A file in it ends the request before a byte is kept, but in a view that
# `takes_upload`, which holds one small file in memory.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = ["roost.core.uploads.NoUploads"]

STATIC_URL = "/static/"
STATIC_ROOT = ROOST_DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "roost.core.static.StaticStorage"},
}
WHITENOISE_MAX_AGE = 3600
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_ADD_HEADERS_FUNCTION = add_static_headers

LANGUAGE_CODE = "en-ca"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = None

ROOST_MAIL_FROM = env.str("ROOST_MAIL_FROM", f"no-reply@{_origin.hostname}")
if "@" not in ROOST_MAIL_FROM or any(c in ROOST_MAIL_FROM for c in "\r\n<>"):
    stop("ROOST_MAIL_FROM must be one plain address, like no-reply@example.com.")
ROOST_SMTP_URL = env.str("ROOST_SMTP_URL", "")
ROOST_SMTP: dict[str, Any] | None = None
if ROOST_SMTP_URL:
    _smtp = urlsplit(ROOST_SMTP_URL)
    if _smtp.scheme not in {"smtp", "smtps", "smtp+tls"} or not _smtp.hostname:
        stop("ROOST_SMTP_URL must look like smtp+tls://user:password@mail.example.com:587.")
    ROOST_SMTP = {
        "host": _smtp.hostname,
        "port": _smtp.port or {"smtp": 25, "smtps": 465, "smtp+tls": 587}[_smtp.scheme],
        "username": unquote(_smtp.username or ""),
        "password": unquote(_smtp.password or ""),
        "use_tls": _smtp.scheme == "smtp+tls",
        "use_ssl": _smtp.scheme == "smtps",
        "timeout": 20,
    }

ROOST_TURN_URL = env.str("ROOST_TURN_URL", "")
ROOST_TURN_SECRET = env.str("ROOST_TURN_SECRET", "")
if bool(ROOST_TURN_URL) != bool(ROOST_TURN_SECRET):
    stop("ROOST_TURN_URL and ROOST_TURN_SECRET belong together: set both or neither.")
# A browser that is told of a relay it cannot read makes no call at all.
for _url in filter(str.strip, ROOST_TURN_URL.split(",")):
    try:
        parse_url(_url.strip())
    except ValueError:
        stop(f"ROOST_TURN_URL: {_url.strip()!r} must look like turn:turn.example.com:3478.")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_tokens": {"()": "roost.core.logs.WithoutPaths"}},
    "formatters": {"line": {"()": "roost.core.logs.Line"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["no_tokens"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "roost": {"level": "INFO"},
        # Django's request log names paths, and a path may hold a mailed link's token.
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},
        # At DEBUG these write down each frame of a socket, and with it what browsers tell each
        # other of their networks; at INFO each socket that opens.
        "websockets": {"level": "WARNING"},
        "uvicorn.error": {"level": "WARNING"},
    },
}
