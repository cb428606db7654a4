# SPDX-License-Identifier: MIT
"""libtorrent (Debian's python3-libtorrent), in this process."""
import libtorrent

from waiting import wait_for

PORT = 6881

SETTINGS = {
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "allow_multiple_connections_per_ip": True,
    "alert_mask": libtorrent.alert.category_t.all_categories,
    "auto_manage_interval": 1,
    "in_enc_policy": 2,  # no encryption
    "out_enc_policy": 2,
    "tracker_completion_timeout": 10,
}

# Without those of each block, of which so many come that some are dropped.
FEW_ALERTS = (libtorrent.alert.category_t.error_notification
              | libtorrent.alert.category_t.peer_notification
              | libtorrent.alert.category_t.status_notification
              | libtorrent.alert.category_t.storage_notification)


class Libtorrent:
    """A session with its own address; without plugins it knows neither metadata nor peer exchange."""

    def __init__(self, address, plugins=True, **settings):
        self.address = address
        self.port = PORT
        self.session = libtorrent.session({**SETTINGS, "outgoing_interfaces": address.strip("[]"),
                                           "listen_interfaces": f"{address}:{PORT}", **settings},
                                          1 if plugins else 0)
        self.alerts = []

    @property
    def endpoint(self):
        return f"{self.address}:{self.port}"

    def add(self, torrent, folder, seed=False):
        """Starts a torrent whose files are, or will be, in `folder`."""
        parameters = libtorrent.add_torrent_params()
        parameters.ti = libtorrent.torrent_info(str(torrent))
        parameters.save_path = str(folder)
        parameters.flags &= ~libtorrent.torrent_flags.auto_managed
        parameters.flags &= ~libtorrent.torrent_flags.paused
        handle = self.session.add_torrent(parameters)
        if seed:
            wait_for(lambda: handle.status().is_seeding, "libtorrent has checked its files")
        return handle

    def connect(self, handle, endpoint):
        address, port = endpoint.rsplit(":", 1)
        handle.connect_peer((address.strip("[]"), int(port)))

    def wait_complete(self, handle, seconds=45):
        wait_for(lambda: handle.status().is_seeding, lambda: "libtorrent has everything: "
                 f"{handle.status().progress:.3f}, {handle.status().num_peers} peers\n"
                 + self.news(), seconds)
        self.take_alerts()  # a full queue would drop the one that is waited for
        handle.flush_cache()
        wait_for(lambda: any("cache" in line and "flushed" in line for line in self.take_alerts()),
                 "libtorrent has written")

    def take_alerts(self):
        """What it has told since it was asked last."""
        fresh = [f"{alert.what()}: {alert.message()}" for alert in self.session.pop_alerts()]
        self.alerts += fresh
        return fresh

    def news(self):
        """What it has told so far, the last hundred lines."""
        self.take_alerts()
        return "\n".join(line for line in self.alerts if not line.startswith("session_stats"))[-8000:]

    def stop(self):
        self.session.pause()
        self.session = None
