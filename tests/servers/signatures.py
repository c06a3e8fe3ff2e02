# SPDX-License-Identifier: GPL-2.0-or-later
"""URLs that carry their own authority: presigned ones of S3, and Azure's shared access signatures.

Tests hand them to the program, and look at the stores by them.
"""

import base64
import datetime
import hashlib
import hmac
from urllib.parse import quote, urlencode, urlsplit

DAY = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256)


def presigned(method, url, access_key, secret, query=(), age=datetime.timedelta(), seconds=600):
    """A URL for one request to S3 of this method, signed `age` ago for so many seconds, with AWS's
    fourth version of signatures."""
    time = (_now() - age).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{time[:8]}/us-east-1/s3/aws4_request"
    parts = urlsplit(url)
    fields = {
        **dict(query),
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{access_key}/{scope}",
        "X-Amz-Date": time,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    # In order of their names, with %20 for a space and only unreserved characters as they are.
    canonical = urlencode(sorted(fields.items()), quote_via=quote, safe="~")
    request = f"{method}\n{parts.path}\n{canonical}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for word in scope.split("/"):
        key = _hmac(key, word).digest()
    signature = _hmac(key, f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}").hexdigest()
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{canonical}&X-Amz-Signature={signature}"


SAS_VERSION = "2020-12-06"


def shared_access(url, account, key, permissions="rcw", resource="c", ends=HOUR):
    """The URL of a container ("c") or blob ("b") with a service signature that ends so far from
    now. Path-style, as the emulator has it: /ACCOUNT/CONTAINER/BLOB."""
    parts = urlsplit(url)
    words = parts.path.split("/")[2:]
    name = "/".join(words if resource == "b" else words[:1])
    start, end = ((_now() + by).strftime("%Y-%m-%dT%H:%M:%SZ") for by in (-DAY, ends))
    # Identifier, IP range, protocol; then snapshot, encryption scope and five response headers.
    fields = [permissions, start, end, f"/blob/{account}/{name}", "", "", "", SAS_VERSION, resource]
    text = "\n".join([*fields, *[""] * 7])
    signature = base64.b64encode(_hmac(base64.b64decode(key), text).digest()).decode()
    query = {"sv": SAS_VERSION, "st": start, "se": end, "sr": resource, "sp": permissions}
    return f"{url}?{urlencode({**query, 'sig': signature}, quote_via=quote, safe='')}"


def account_access(url, account, key):
    """The URL with a signature for all that can be done with the account's containers."""
    query = {"sv": SAS_VERSION, "ss": "b", "srt": "sco", "sp": "rwdlac"}
    query["se"] = (_now() + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = [account, query["sp"], query["ss"], query["srt"], "", query["se"], "", ""]
    text = "\n".join([*fields, SAS_VERSION, "", ""])
    signature = base64.b64encode(_hmac(base64.b64decode(key), text).digest()).decode()
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{urlencode({**query, 'sig': signature}, quote_via=quote, safe='')}"
