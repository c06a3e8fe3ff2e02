# SPDX-License-Identifier: GPL-2.0-or-later
"""Apache: a WebDAV store with a password, which also takes a part of a file (Content-Range).

A file `busy` in its directory makes it refuse with 503 and "Retry-After: 1". Under /small/ it takes
nothing of more than a MiB (413).
"""

import os

from nginx import PASSWORD, USER
from service import WebServer, find_program, free_port, run

MODULES = ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic"]
MODULES += ["dav", "dav_fs", "ssl", "rewrite", "headers"]
MODULE_DIRECTORY = "/usr/lib/apache2/modules"

# It does not serve as root; and the test's directories are root's alone.
NOT_ROOT = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
NOT_ROOT += ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]

CONFIG = """
ServerRoot {directory}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {directory}/apache.pid
ErrorLog {directory}/error.log
LogLevel warn
LogFormat "%{{sec}}t.%{{msec_frac}}t %>s %m %U %I" times
CustomLog {directory}/access.log times
{modules}
Mutex file:{directory}
DocumentRoot {directory}/store
DAVLockDB {directory}/locks/lock
SSLEngine on
SSLCertificateFile {authority.certificate}
SSLCertificateKeyFile {authority.key}
RewriteEngine on
RewriteCond {directory}/busy -f
RewriteRule ^ - [R=503,L]
Header always set Retry-After 1 "expr=%{{REQUEST_STATUS}} == 503"
<Directory {directory}/store>
	Dav On
	AuthType Basic
	AuthName cores
	AuthUserFile {directory}/passwords
	Require valid-user
</Directory>
<Location /small>
	LimitRequestBody 1048576
</Location>
"""


class Apache(WebServer):
    def __init__(self, directory, authority):
        program = find_program("apache2", "httpd")
        home = directory / "apache"
        for path in (home, home / "store", home / "store" / "small", home / "locks"):
            path.mkdir()
        hashed = run("openssl", "passwd", "-apr1", PASSWORD).stdout.strip()
        (home / "passwords").write_text(f"{USER}:{hashed}\n")
        port = free_port()
        config = home / "httpd.conf"
        modules = "\n".join(
            f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so" for name in MODULES
        )
        config.write_text(
            CONFIG.format(directory=home, port=port, authority=authority, modules=modules)
        )
        command = [*NOT_ROOT, program] if os.geteuid() == 0 else [program]
        super().__init__(home, "apache", [*command, "-DFOREGROUND", "-f", config], port)
        self.url = f"https://localhost:{port}"
