# SPDX-License-Identifier: GPL-2.0-or-later
"""nginx: a WebDAV store with a password, or what stands in front of another server.

Files in its directory make it refuse, as busy servers do:

    busy       503 and "Retry-After: 1"
    throttle   429 and "Retry-After: 1"

At .small_port it does the same as at .port, but takes nothing of more than a MiB (413).
"""

import shutil

from service import WebServer, fetched, free_port

USER, PASSWORD = "alice", "s3cret-of-alice"

CONFIG = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
events {{ worker_connections 256; }}
http {{
	log_format times '$msec $status $request_method $uri $request_length';
	access_log {directory}/access.log times;
	client_body_temp_path {directory}/body;
	proxy_temp_path {directory}/proxy;
	fastcgi_temp_path {directory}/fastcgi;
	uwsgi_temp_path {directory}/uwsgi;
	scgi_temp_path {directory}/scgi;
	ssl_certificate {authority.certificate};
	ssl_certificate_key {authority.key};
	proxy_http_version 1.1;
	proxy_set_header Host $http_host;
	proxy_set_header X-Forwarded-Proto https;
	proxy_request_buffering off;
	proxy_buffering off;
{servers}
}}
"""

SERVER = """
	server {{
		listen 127.0.0.1:{port} ssl;
		client_max_body_size {limit};
		location / {{
			if (-e {directory}/busy) {{ return 599; }}
			if (-e {directory}/throttle) {{ return 598; }}
			error_page 599 = @busy;
			error_page 598 = @throttle;
{what}
		}}
		location @busy {{
			add_header Retry-After 1 always;
			return 503;
		}}
		location @throttle {{
			add_header Retry-After 1 always;
			return 429;
		}}
{more}
	}}
"""

DAV = """
			root {directory}/store;
			dav_methods PUT DELETE MKCOL COPY MOVE;
			create_full_put_path on;
			auth_basic "cores";
			auth_basic_user_file {directory}/passwords;
"""

# Where a URL leads that has moved: to the same host, or to another one.
MOVED = """
		location /moved/ { rewrite ^/moved/(.*)$ https://$http_host/$1 redirect; }
		location /away/ { return 307 %s; }
"""

PROXY = """
			proxy_pass https://127.0.0.1:{backend};
			proxy_ssl_trusted_certificate {authority.ca};
			proxy_ssl_name localhost;
			proxy_ssl_verify on;
"""


def nginx_program():
    """The system's, or Debian's, which is unpacked and not installed: so no service starts."""
    for path in (None, "/usr/sbin:/usr/local/sbin"):
        if found := shutil.which("nginx", path=path):
            return found
    return fetched("fetch-nginx.sh") / "usr/sbin/nginx"


class Nginx(WebServer):
    """With a backend, the port of another server on this host, it passes everything on to that."""

    def __init__(self, directory, authority, backend=None, away="https://localhost:1/"):
        home = directory / "nginx"
        home.mkdir()
        (home / "store").mkdir()
        (home / "passwords").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        self.small_port = free_port()
        port = free_port()
        what = PROXY if backend else DAV
        what = what.format(directory=home, backend=backend, authority=authority)
        more = "" if backend else MOVED % away
        servers = "".join(
            SERVER.format(port=number, limit=limit, directory=home, what=what, more=more)
            for number, limit in ((port, 0), (self.small_port, "1m"))
        )
        config = home / "nginx.conf"
        config.write_text(CONFIG.format(directory=home, authority=authority, servers=servers))
        super().__init__(home, "nginx", [nginx_program(), "-c", config, "-p", home], port)
        self.url = f"https://localhost:{port}"
        self.small_url = f"https://localhost:{self.small_port}"
