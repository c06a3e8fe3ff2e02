#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenStack Swift with its S3 interface, all in one process.

    swift_server.py DIRECTORY ACCESS_KEY SECRET CERTIFICATE KEY

DIRECTORY, which exists, gets the data. The access key is of the form ACCOUNT:USER. Prints the port
of the loopback device that it listens at, with TLS, and serves until it is killed. The proxy,
account, container and object servers of a real installation are threads here, each at a port that
the kernel has chosen.
"""

import configparser
import sys
from pathlib import Path

import eventlet

eventlet.patcher.monkey_patch(os=False)

from eventlet import wsgi  # noqa: E402
from swift.common import utils  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402

PART_POWER, REPLICAS = 2, 1
# Larger than by default, which is 64 KiB: this is to be fast.
CHUNK = 1 << 20
STORES = ("account", "container", "object")


def write_config(path, sections):
    config = configparser.RawConfigParser()
    config.read_dict(sections)
    with open(path, "w", encoding="ascii") as file:
        config.write(file)


def write_ring(directory, store, port):
    builder = RingBuilder(PART_POWER, REPLICAS, 1)
    device = dict(region=1, zone=1, weight=1, device="d1", ip="127.0.0.1", port=port)
    builder.add_dev({**device, "replication_ip": "127.0.0.1", "replication_port": port})
    builder.rebalance()
    builder.get_ring().save(str(directory / f"{store}.ring.gz"))


def store_config(directory, store):
    path = directory / f"{store}.conf"
    write_config(
        path,
        {
            "DEFAULT": {
                "devices": directory / "devices",
                "swift_dir": directory,
                "mount_check": "false",
                "fallocate_reserve": "0",
            },
            "pipeline:main": {"pipeline": f"{store}-server"},
            f"app:{store}-server": {
                "use": f"egg:swift#{store}",
                "network_chunk_size": CHUNK,
                "disk_chunk_size": CHUNK,
            },
        },
    )
    return path


def proxy_config(directory, access_key, secret):
    path = directory / "proxy.conf"
    filters = ("gatekeeper", "listing_formats", "s3api", "tempauth", "copy", "slo", "dlo")
    account, user = access_key.split(":")
    write_config(
        path,
        {
            "DEFAULT": {"swift_dir": directory},
            "pipeline:main": {"pipeline": f"catch_errors {' '.join(filters)} proxy-server"},
            "app:proxy-server": {
                "use": "egg:swift#proxy",
                "account_autocreate": "true",
                "client_chunk_size": CHUNK,
                "object_chunk_size": CHUNK,
            },
            "filter:catch_errors": {"use": "egg:swift#catch_errors"},
            **{f"filter:{name}": {"use": f"egg:swift#{name}"} for name in filters},
            # .admin makes the user the owner of the account.
            "filter:tempauth": {
                "use": "egg:swift#tempauth",
                f"user_{account}_{user}": f"{secret} .admin",
            },
        },
    )
    return path


class Cache:
    """What the proxy asks of memcached. Nothing grows old here."""

    def __init__(self):
        self._values = {}

    def get(self, key, **_):
        return self._values.get(key)

    def set(self, key, value, **_):
        self._values[key] = value

    def delete(self, key, **_):
        self._values.pop(key, None)

    def incr(self, key, delta=1, **_):
        self._values[key] = int(self._values.get(key, 0)) + delta
        return self._values[key]

    def decr(self, key, delta=1, **_):
        return self.incr(key, -delta)


def with_cache(app):
    cache = Cache()

    def serve(env, start_response):
        env["swift.cache"] = cache
        return app(env, start_response)

    return serve


def main():
    directory = Path(sys.argv[1]).resolve()
    access_key, secret, certificate, key = sys.argv[2:]
    (directory / "devices" / "d1").mkdir(parents=True)
    write_config(directory / "swift.conf", {"swift-hash": {"swift_hash_path_suffix": "test"}})
    utils.set_swift_dir(str(directory))

    # It reads swift.conf when it is loaded.
    from swift.common.wsgi import SwiftHttpProtocol, loadapp

    sockets = {name: eventlet.listen(("127.0.0.1", 0)) for name in (*STORES, "proxy")}
    for store in STORES:
        write_ring(directory, store, sockets[store].getsockname()[1])
    configs = {store: store_config(directory, store) for store in STORES}
    configs["proxy"] = proxy_config(directory, access_key, secret)
    port = sockets["proxy"].getsockname()[1]
    sockets["proxy"] = eventlet.wrap_ssl(
        sockets["proxy"], certfile=certificate, keyfile=key, server_side=True
    )
    logger = utils.NullLogger()
    for name, config in configs.items():
        app = loadapp(str(config), global_conf={"log_requests": "false"})
        app = with_cache(app) if name == "proxy" else app
        eventlet.spawn(wsgi.server, sockets[name], app, logger, protocol=SwiftHttpProtocol)
    print(port, flush=True)
    while True:
        eventlet.sleep(3600)


if __name__ == "__main__":
    main()
