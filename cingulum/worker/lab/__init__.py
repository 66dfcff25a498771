"""The worker in lab mode: notices a lab's files where they lie, brings them to the central store, and proves them."""

from cingulum.worker.lab.agent import LabAgent, Round
from cingulum.worker.lab.journal import Journal
from cingulum.worker.lab.orders import Copy, Order, orders_of
from cingulum.worker.lab.reading import Digests, FileChanged, Identity

__all__ = [
    "Copy",
    "Digests",
    "FileChanged",
    "Identity",
    "Journal",
    "LabAgent",
    "Order",
    "Round",
    "orders_of",
]
