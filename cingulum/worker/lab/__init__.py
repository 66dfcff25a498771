"""The lab agent: finds a lab's registered files on its disk, uploads them to the central store, and verifies them."""

from cingulum.worker.lab.agent import LabAgent, Round
from cingulum.worker.lab.journal import Journal
from cingulum.worker.lab.orders import LabCopy, Order, fetch_orders

__all__ = ["Journal", "LabAgent", "LabCopy", "Order", "Round", "fetch_orders"]
