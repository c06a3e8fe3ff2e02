# SPDX-License-Identifier: GPL-2.0-or-later
"""The stores, as the tests see them: where to upload to and with what, and what has become of it.

    with Dav(directory, authority) as store:
        client(*store.credentials, "upload", core, store.url("core"))
        store.fetch("core")

Each has `port`, and `at` leads there by another way: a link with faults, or nginx in front of it.
"""

import contextlib
import datetime
import json

import apache
import azurite
import documented
import nginx
import s3
import tus

PAST = datetime.timedelta(hours=1)


class Store:
    # How an upload goes on that was interrupted: at the "byte", at a "part", or not
    resumes = None
    # Whether it can tell that an object is there before it is overwritten
    tells_existing = True
    # Whether --force replaces it then
    replaces = True
    # Whether it takes parts in any order
    any_order = False
    # How rspdump has to be told which store it is
    kind = ()
    wrong_options = ()

    def __init__(self, directory, authority):
        self.directory, self.authority = directory, authority
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        self.server = self.stack.enter_context(self.make_server())
        self.port = self.server.port
        self.prepare()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def prepare(self):
        pass

    def front(self):
        """nginx in front of it; its .port and .small_port are ways to the store."""
        return nginx.Nginx(self.directory, self.authority, self.port)

    def base(self, at=None):
        return f"https://localhost:{at or self.port}"

    def options(self, client):
        """Of the command line: what it takes to be let in."""
        return self.kind

    def environment(self):
        return {}

    def wrong_environment(self):
        """The same, but wrong."""
        return {}


class Dav(Store):
    """nginx with a password from netrc"""

    secrets = (nginx.PASSWORD,)

    def make_server(self):
        return nginx.Nginx(self.directory, self.authority)

    @contextlib.contextmanager
    def front(self):
        yield self.server

    def url(self, name, at=None):
        return f"{self.base(at)}/{name}"

    def options(self, client):
        client.netrc(nginx.USER, nginx.PASSWORD)
        return self.kind

    def wrong(self, client, name):
        client.netrc(nginx.USER, "wrong-password")
        return self.url(name), self.kind

    def fetch(self, name):
        path = self.server.stored(name)
        return path.read_bytes() if path.exists() else None


class DavApache(Dav):
    """Apache, which takes a part of a file"""

    resumes = "byte"
    kind = ("--upload-as", "dav")
    front = Store.front

    def make_server(self):
        return apache.Apache(self.directory, self.authority)


class S3(Store):
    """OpenStack Swift's S3 interface"""

    any_order = True
    resumes = "part"
    secrets = (s3.SECRET,)

    def make_server(self):
        return s3.Swift(self.directory, self.authority)

    def prepare(self):
        self.server.create_bucket("cores")

    def url(self, name, at=None, bucket="cores"):
        self.endpoint = self.base(at)
        return f"s3://{bucket}/{name}"

    def environment(self):
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": s3.ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": s3.SECRET,
            "AWS_REGION": "us-east-1",
        }

    def wrong_environment(self):
        return {**self.environment(), "AWS_SECRET_ACCESS_KEY": "wrong-secret"}

    def wrong(self, client, name):
        return self.url(name), ()

    def fetch(self, name):
        return self.server.request("GET", f"cores/{name}")


class Azure(Store):
    """Azurite, by a shared access signature"""

    any_order = True
    resumes = "part"
    secrets = ("sig=",)
    kind = ("--upload-as", "azure")

    def make_server(self):
        return azurite.Azurite(self.directory, self.authority)

    def prepare(self):
        self.server.create_container("cores")

    def url(self, name, at=None, bucket="cores", **options):
        return self.server.signed(self.base(at), f"{bucket}/{name}", **options)

    def wrong(self, client, name):
        return self.url(name, permissions="r"), self.kind

    def expired(self, name):
        return self.url(name, ends=-PAST)

    def fetch(self, name):
        return self.server.request("GET", f"cores/{name}")


class TusStore(Store):
    """The tus server; where an upload lies is its own choice"""

    resumes = "byte"
    tells_existing = False
    secrets = (tus.TOKEN,)

    def make_server(self):
        return tus.Tus(self.directory, self.authority)

    def url(self, name, at=None):
        return f"tus+{self.base(at)}/files"

    def options(self, client):
        return ("--header", client.header_file(f"Authorization: Bearer {tus.TOKEN}"))

    def wrong(self, client, name):
        wrong = client.header_file("Authorization: Bearer wrong-token", "wrong")
        return self.url(name), ("--header", wrong)

    def fetch(self, name):
        """The upload that is whole, if there is one; it is taken away."""
        for path in self.server.stored():
            info = path.with_name(path.name + ".json")
            if json.loads(info.read_text())["size"] == path.stat().st_size:
                data = path.read_bytes()
                path.unlink()
                info.unlink()
                return data
        return None


class GoogleStore(Store):
    """Resumable uploads of Google Cloud Storage, as documented"""

    resumes = "byte"
    kind = ("--upload-as", "gcs")
    secrets = (documented.GOOGLE_TOKEN,)

    def make_server(self):
        return documented.Documented(self.directory, self.authority)

    def url(self, name, at=None, bucket="cores"):
        where = f"upload/storage/v1/b/{bucket}/o?uploadType=resumable&name={name}"
        return f"{self.base(at)}/{where}"

    def options(self, client):
        token = client.header_file(f"Authorization: Bearer {documented.GOOGLE_TOKEN}")
        return (*self.kind, "--header", token)

    def wrong(self, client, name):
        wrong = client.header_file("Authorization: Bearer wrong-token", "wrong")
        return self.url(name), (*self.kind, "--header", wrong)

    def fetch(self, name):
        path = self.server.stored("google", name)
        return path.read_bytes() if path.exists() else None


class GitLab(Store):
    """Generic packages of GitLab, as documented, where they are not to be published twice"""

    replaces = False
    secrets = (documented.GITLAB_TOKEN,)

    def make_server(self):
        return documented.Documented(self.directory, self.authority)

    def url(self, name, at=None):
        return f"{self.base(at)}/api/v4/projects/1/packages/generic/cores/1.0/{name}"

    def options(self, client):
        return ("--header", client.header_file(f"PRIVATE-TOKEN: {documented.GITLAB_TOKEN}"))

    def wrong(self, client, name):
        return self.url(name), ("--header", client.header_file("PRIVATE-TOKEN: wrong", "wrong"))

    def fetch(self, name):
        path = self.server.stored("gitlab", "cores", "1.0", name)
        return path.read_bytes() if path.exists() else None


class Artifactory(Store):
    """Artifactory, as documented"""

    secrets = (documented.ARTIFACTORY_PASSWORD,)

    def make_server(self):
        return documented.Documented(self.directory, self.authority)

    def url(self, name, at=None, repository="cores"):
        return f"{self.base(at)}/artifactory/{repository}/{name}"

    def options(self, client):
        client.netrc(documented.ARTIFACTORY_USER, documented.ARTIFACTORY_PASSWORD)
        return ()

    def wrong(self, client, name):
        client.netrc(documented.ARTIFACTORY_USER, "wrong-password")
        return self.url(name), ()

    def fetch(self, name):
        path = self.server.stored("artifactory", "cores", name)
        return path.read_bytes() if path.exists() else None
