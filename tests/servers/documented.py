# SPDX-License-Identifier: GPL-2.0-or-later
"""Stores of which no server can be had, as their documentation says that they answer: GitLab's
generic packages, JFrog's Artifactory, and resumable uploads of Google Cloud Storage.

    PUT  /api/v4/projects/1/packages/generic/NAME/VERSION/FILE   PRIVATE-TOKEN or JOB-TOKEN
    PUT  /artifactory/cores/PATH                                 Basic, or a Bearer token
    POST /upload/storage/v1/b/cores/o?uploadType=resumable&name=NAME   Bearer token
         ... and then PUT to the Location of the answer
    GET  /download/storage/v1/b/cores/o/NAME?alt=media

A version of a package is taken once. Artifactory refuses a checksum that is wrong. In the
repository `lossy` a byte is lost on the way to the disk, as the checksum in its answer tells.
Google's server keeps whole multiples of 256 KiB of what comes, and says which.
"""

import base64
import hashlib
import http.server
import json
import pathlib
import re
import ssl
import threading
from urllib.parse import parse_qs, quote, unquote, urlsplit

GITLAB_TOKEN = "glpat-tokenOfGitlab"
ARTIFACTORY_USER, ARTIFACTORY_PASSWORD = "robot", "p4ss-of-robot"
GOOGLE_TOKEN = "ya29.token-of-google"

UNIT = 256 << 10
PIECE = 1 << 20
GITLAB = re.compile(r"/api/v4/projects/(\d+)/packages/generic/([^/]+)/([^/]+)/(.+)")
ARTIFACTORY = re.compile(r"/artifactory/(cores|lossy)/(.+)")
OBJECTS = re.compile(r"(?:/upload|/download)?/storage/v1/b/([^/]+)/o(?:/(.*))?")
CONTENT_RANGE = re.compile(r"bytes (\*|(\d+)-(\d+))/(\*|\d+)")


class Session:
    """A resumable upload: how much of it is kept."""

    def __init__(self, path):
        self.part = path.with_name(path.name + ".session")
        self.path = path
        self.kept = 0
        self.part.touch()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *_):
        pass

    def answer(self, code, body=b"", **headers):
        if isinstance(body, dict):
            body = json.dumps(body).encode() + b"\n"
            headers.setdefault("Content-Type", "application/json")
        self.server.log.append((self.command, self.path, code, self.seen, dict(self.headers)))
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        # What was not read of a body would be taken for the next request.
        if self.left:
            self.close_connection = True

    def handle_expect_100(self):
        # Whoever may not send the body is told before it comes.
        return True

    def body(self):
        """The request's body, a piece at a time."""
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        while self.left:
            piece = self.rfile.read(min(PIECE, self.left))
            if not piece:
                raise ConnectionResetError
            self.left -= len(piece)
            self.seen += len(piece)
            yield piece

    def handle_one_request(self):
        self.left = self.seen = 0
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError, TimeoutError):
            self.close_connection = True

    def serve(self):
        self.left = int(self.headers.get("Content-Length") or 0)
        self.seen = 0
        parts = urlsplit(self.path)
        path, self.query = unquote(parts.path), parse_qs(parts.query, keep_blank_values=True)
        if self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self.answer(411, {"message": "Length Required"})
        elif match := GITLAB.fullmatch(path):
            self.gitlab(*match.groups())
        elif match := ARTIFACTORY.fullmatch(path):
            self.artifactory(*match.groups())
        elif match := OBJECTS.fullmatch(path):
            self.google(*match.groups())
        else:
            self.answer(404, {"message": "404 Not Found"})

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = serve

    def place(self, *words):
        return self.server.directory.joinpath("_".join(words).replace("/", "_"))

    def keep(self, path):
        """Writes the body to a file; returns its SHA-256, SHA-1 and MD5."""
        sums = [hashlib.sha256(), hashlib.sha1(), hashlib.md5()]
        part = path.with_name(path.name + ".part")
        with open(part, "wb") as file:
            for piece in self.body():
                file.write(piece)
                for digest in sums:
                    digest.update(piece)
        part.replace(path)
        return [digest.hexdigest() for digest in sums]

    def give(self, path, **headers):
        if not path.exists():
            self.answer(404, {"message": "404 Not Found"})
        elif self.command == "HEAD":
            self.answer(200, **headers)
        else:
            self.answer(200, path.read_bytes(), **headers)

    def gitlab(self, project, name, version, file):
        tokens = [self.headers.get(header) for header in ("PRIVATE-TOKEN", "JOB-TOKEN")]
        if GITLAB_TOKEN not in tokens:
            return self.answer(401, {"message": "401 Unauthorized"})
        if project != "1":
            return self.answer(404, {"message": "404 Project Not Found"})
        path = self.place("gitlab", name, version, file)
        if self.command != "PUT":
            return self.give(path)
        if path.exists():
            return self.answer(400, {"message": "Duplicate package is not allowed"})
        sha256, sha1, md5 = self.keep(path)
        if self.query.get("select") != ["package_file"]:
            return self.answer(201, {"message": "201 Created"})
        record = {"id": 1, "package_id": 1, "file_name": file, "size": path.stat().st_size}
        record |= {"file_sha256": sha256, "file_sha1": sha1, "file_md5": md5}
        return self.answer(201, record)

    def artifactory(self, repository, name):
        basic = base64.b64encode(f"{ARTIFACTORY_USER}:{ARTIFACTORY_PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {basic}":
            errors = [{"status": 401, "message": "Bad credentials"}]
            realm = 'Basic realm="Artifactory"'
            return self.answer(401, {"errors": errors}, WWW_Authenticate=realm)
        path = self.place("artifactory", repository, name)
        if self.command != "PUT":
            return self.give(path)
        if self.headers.get("X-Checksum-Deploy") == "true":
            errors = [{"status": 404, "message": "Checksum deploy failed. No existing file found"}]
            return self.answer(404, {"errors": errors})
        sha256, sha1, md5 = self.keep(path)
        told = self.headers.get("X-Checksum-Sha256")
        if told and told != sha256:
            path.unlink()
            message = f"Checksum policy failed: received '{told}' but actual is '{sha256}'"
            return self.answer(409, {"errors": [{"status": 409, "message": message}]})
        if repository == "lossy":
            sha256 = hashlib.sha256(path.read_bytes()[:-1]).hexdigest()
        return self.answer(
            201,
            {
                "repo": repository,
                "path": f"/{name}",
                "size": str(path.stat().st_size),
                "checksums": {"sha1": sha1, "md5": md5, "sha256": sha256},
            },
        )

    def google(self, bucket, name):
        if session := self.query.get("upload_id"):
            return self.google_chunk(self.server.sessions.get(session[0]))
        if self.headers.get("Authorization") != f"Bearer {GOOGLE_TOKEN}":
            return self.answer(401, {"error": {"code": 401, "message": "Invalid Credentials"}})
        if bucket != "cores":
            message = "The specified bucket does not exist."
            return self.answer(404, {"error": {"code": 404, "message": message}})
        if self.command != "POST":
            return self.give(self.place("google", unquote(name or "")))
        if self.query.get("uploadType") != ["resumable"] or "name" not in self.query:
            return self.answer(400, {"error": {"code": 400, "message": "Bad Request"}})
        path = self.place("google", self.query["name"][0])
        if self.query.get("ifGenerationMatch") == ["0"] and path.exists():
            message = "At least one of the pre-conditions you specified did not hold."
            return self.answer(412, {"error": {"code": 412, "message": message}})
        for _ in self.body():
            pass
        number = str(len(self.server.sessions) + 1)
        self.server.sessions[number] = Session(path)
        here = f"https://{self.headers['Host']}/upload/storage/v1/b/{bucket}/o"
        name = quote(self.query["name"][0], safe="")
        location = f"{here}?uploadType=resumable&name={name}&upload_id={number}"
        return self.answer(200, Location=location)

    def google_chunk(self, session):
        if session is None:
            return self.answer(404, {"error": {"code": 404, "message": "no such upload"}})
        if session.path.exists() and not session.part.exists():
            return self.answer(200, {"size": str(session.path.stat().st_size)})
        said = CONTENT_RANGE.fullmatch(self.headers.get("Content-Range", ""))
        if not said:
            return self.answer(400, {"error": {"code": 400, "message": "no Content-Range"}})
        total = None if said[4] == "*" else int(said[4])
        last = False
        if said[1] != "*":
            start, end = int(said[2]), int(said[3]) + 1
            last = end == total
            if start != session.kept:
                return self.answer(503, {"error": {"code": 503, "message": "not where it stands"}})
            if end - start != self.left or not last and self.left % UNIT:
                return self.answer(400, {"error": {"code": 400, "message": "not a multiple"}})
            self.google_keep(session, last)
        if total is not None and session.kept == total and (last or said[1] == "*"):
            session.part.replace(session.path)
            digest = base64.b64encode(hashlib.md5(session.path.read_bytes()).digest()).decode()
            return self.answer(200, {"size": str(total), "md5Hash": digest})
        kept = {"Range": f"bytes=0-{session.kept - 1}"} if session.kept else {}
        return self.answer(308, **kept)

    def google_keep(self, session, last):
        with open(session.part, "r+b") as file:
            file.seek(session.kept)
            try:
                for piece in self.body():
                    file.write(piece)
                end = file.tell()
            except ConnectionError:
                end = file.tell() // UNIT * UNIT
                file.truncate(end)
                session.kept = end
                raise
        session.kept = end if last else end // UNIT * UNIT


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        # A client that went away
        pass


class Documented:
    """The server, in threads of the test. With an authority, it speaks TLS."""

    def __init__(self, directory, authority=None):
        self._server = Server(("127.0.0.1", 0), Handler, bind_and_activate=True)
        self._server.directory = pathlib.Path(directory) / "documented"
        self._server.directory.mkdir()
        self._server.sessions = {}
        # Requests: method, path, status, bytes of the body that were read, headers
        self.log = self._server.log = []
        self.port = self._server.server_address[1]
        scheme = "http"
        if authority:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(authority.certificate, authority.key)
            # The handshake is the thread's that serves the connection, at its first read.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{scheme}://localhost:{self.port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def stored(self, *words):
        return self._server.directory / "_".join(words).replace("/", "_")
