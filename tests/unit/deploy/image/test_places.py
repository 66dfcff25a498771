"""Who gets a place among the connections of a server, and which connection is closed."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network

from deploy.image.places import Places


@dataclass(eq=False)
class One:
    has_sent_all: bool = True


def opened(places: Places, address: str, n: int = 1) -> list[One]:
    made = [One() for _ in range(n)]
    assert [places.take(connection, address) for connection in made] == [None] * n
    return made


def test_the_longest_idle_connection_of_an_address_is_evicted() -> None:
    places = Places(10, 3)
    first, second, third = opened(places, "192.0.2.1", 3)
    opened(places, "192.0.2.2", 3)
    places.work(first)
    assert places.take(One(), "192.0.2.1") is second
    places.leave(second)
    places.leave(second)
    places.wait(first)  # answered, and so the last to give way
    assert places.take(One(), "192.0.2.1") is third


def test_addresses_that_one_customer_chooses_from_are_one_address() -> None:
    places = Places(10, 1)
    [connection] = opened(places, "2001:db8::17")
    assert places.take(One(), "2001:db8::ffff:1") is connection
    [other] = opened(places, "192.0.2.1")
    assert places.take(One(), "::ffff:192.0.2.1") is other
    opened(places, "2001:db8:0:1::17")


def test_trusted_proxies_and_unnamed_ends_have_the_whole_limit() -> None:
    places = Places(5, 1, (ip_network("10.0.0.0/8"),))
    first, *_ = opened(places, "10.0.0.1", 3) + opened(places, "", 2)
    assert places.take(One(), "192.0.2.1") is first


def test_a_connection_with_a_response_in_progress_is_not_evicted() -> None:
    places = Places(3, 2)
    connections = opened(places, "192.0.2.1", 2) + opened(places, "192.0.2.2")
    for connection in connections:
        places.work(connection)
    newest = One()
    assert places.take(newest, "192.0.2.1") is newest
    places.leave(newest)
    assert places.take(newest, "192.0.2.3") is newest
    places.wait(connections[0])
    connections[0].has_sent_all = False  # its answer is still on its way
    places.leave(newest)
    assert places.take(newest, "192.0.2.3") is newest


def test_nothing_is_kept_of_connections_that_ended() -> None:
    places = Places(3, 2)
    for n in range(100):
        [connection] = opened(places, f"192.0.2.{n}")
        places.work(connection)
        places.leave(connection)
        places.wait(connection)
    assert (places._addresses, places._keys, places._all.n_open, len(places._all.waiting)) == ({}, {}, 0, 0)
